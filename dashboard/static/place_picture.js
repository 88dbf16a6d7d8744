// The picture below the shapes: what the mouse's camera sees now, else its first recorded picture, else an empty frame.

// A JPEG takes a clipped 255 down by some counts.
const TOP = 250;
const MARKS_MS = 250;

export class Picture extends EventTarget {
  constructor(root, wire, page) {
    super();
    this.root = root;
    this.wire = wire;
    this.page = page;
    this.canvas = root.querySelector("#place-picture");
    this.marks = root.querySelector("#place-marks");
    this.about = null;
    this.lives = [];
    this.marked = 0;
    wire.addEventListener("hello", ({ detail: { about, live } }) => {
      this.about = { ...about, name: live };
      this.tell();
    });
    wire.addEventListener("update", ({ detail: { blobs, status } }) => this.update(blobs.camera, status));
    wire.addEventListener("end", () => this.lose());
    wire.addEventListener("closed", () => this.lose());
    wire.addEventListener("live", ({ detail: { live } }) => {
      this.lives = live;
      this.tell();
    });
  }

  lose() {
    this.about = null;
    this.status = {};
    this.tell();
    this.fallBack();
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }

  // Shows a mouse, as the server tells of it.
  async show(mouse) {
    this.mouse = mouse;
    this.first = null;
    this.tell();
    if (mouse.first) await this.loadFirst(mouse);
    this.fallBack();
  }

  async loadFirst(mouse) {
    const picture = new Image();
    picture.src = `api/mice/${encodeURIComponent(mouse.mouse)}/first.png?session=${encodeURIComponent(mouse.first.session)}`;
    try {
      await picture.decode();
    } catch {
      return;
    }
    if (mouse !== this.mouse) return;
    this.first = picture;
    this.dispatchEvent(new Event("first"));
  }

  // Whether the shown session or preview is this mouse's.
  get live() {
    return Boolean(this.about && this.mouse && this.about.mouse === this.mouse.mouse);
  }

  // Returns the session or preview of this mouse, or null.
  get running() {
    return this.lives.find(({ mouse }) => mouse === this.mouse?.mouse) ?? null;
  }

  get size() {
    if (this.live) return [this.about.shape[1], this.about.shape[0]];
    return this.mouse?.resolution ?? [256, 256];
  }

  get source() {
    if (this.live) return this.about.what === "preview" ? "Live: preview" : "Live: session";
    if (this.first) return `First recorded picture, ${this.mouse.first.date}`;
    return "No picture yet: start a preview to see the camera";
  }

  async update(bytes, status) {
    if (!this.live) return;
    this.status = status;
    this.dispatchEvent(new Event("status"));
    if (!bytes || this.root.hidden || this.drawing) return;
    this.drawing = true;
    try {
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      this.paint(picture, picture.width, picture.height);
      picture.close();
      this.mark();
    } finally {
      this.drawing = false;
    }
  }

  paint(picture, width, height) {
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0, width, height);
  }

  fallBack() {
    if (this.live || !this.mouse) return;
    this.marks.width = 0;
    if (this.first) this.paint(this.first, this.first.naturalWidth, this.first.naturalHeight);
    else [this.canvas.width, this.canvas.height] = this.size;
  }

  // Marks the pixels that are at the top in green or blue, in stripes, four times a second.
  mark() {
    const now = performance.now();
    const { width, height } = this.canvas;
    if (!this.root.querySelector("#place-show-marks").checked) {
      this.marks.width = 0;
      return;
    }
    if (now - this.marked < MARKS_MS && this.marks.width === width) return;
    this.marked = now;
    const { data } = this.canvas.getContext("2d").getImageData(0, 0, width, height);
    [this.marks.width, this.marks.height] = [width, height];
    const context = this.marks.getContext("2d");
    const marks = context.createImageData(width, height);
    const pixels = new Uint32Array(marks.data.buffer);
    for (let at = 0; at < pixels.length; at++) {
      if (data[4 * at + 1] < TOP && data[4 * at + 2] < TOP) continue;
      const stripe = ((at % width) + Math.floor(at / width)) % 4 < 2;
      // Reddish purple and black of Okabe and Ito, as ABGR.
      pixels[at] = stripe ? 0xffa779cc : 0xff000000;
    }
    context.putImageData(marks, 0, 0);
  }
}
