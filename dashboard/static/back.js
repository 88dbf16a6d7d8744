// The Look back tab.

export class Back {
  constructor(root, wire, page) {
    this.root = root;
    this.wire = wire;
    this.page = page;
  }
}
