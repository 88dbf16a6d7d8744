// The Place tab.

export class Place {
  constructor(root, wire, page) {
    this.root = root;
    this.wire = wire;
    this.page = page;
  }
}
