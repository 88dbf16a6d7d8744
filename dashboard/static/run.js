// The Run tab.

export class Run {
  constructor(root, wire, page) {
    this.root = root;
    this.wire = wire;
    this.page = page;
  }
}
