// The picture below the shapes: what the mouse's camera sees now, else its first recorded picture, else an empty frame.

const MARKS_MS = 1000;

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
    this.legend = root.querySelector("#place-legend");
    this.marks.onload = () => this.showMarks(this.live);
    wire.addEventListener("hello", ({ detail: { about, live } }) => {
      this.about = { ...about, name: live };
      this.tell();
    });
    wire.addEventListener("update", ({ detail: { blobs } }) => this.update(blobs.camera));
    wire.addEventListener("end", () => this.lose());
    wire.addEventListener("closed", () => this.lose());
    wire.addEventListener("live", ({ detail: { live } }) => {
      this.lives = live;
      this.tell();
    });
  }

  lose() {
    this.about = null;
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
    this.fallBack();
    await this.loadFirst(mouse);
    this.fallBack();
  }

  // Takes what is told anew of the mouse that is shown.
  again(mouse) {
    this.mouse = mouse;
    this.tell();
    this.fallBack();
  }

  // Loads the first day's picture, if there is one: `first` is {picture, date, image: [width, height], ...}.
  async loadFirst(mouse) {
    const path = `mice/${encodeURIComponent(mouse.mouse)}/first`;
    const picture = new Image();
    let facts;
    try {
      facts = await this.page.api(path);
      if (!facts.session) return;
      picture.src = `api/${path}.png?session=${encodeURIComponent(facts.session)}`;
      await picture.decode();
    } catch (error) {
      this.page.say(`The first day's picture: ${error.message}`, false);
      return;
    }
    if (mouse !== this.mouse) return;
    this.first = { picture, ...facts };
    this.tell();
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

  // Whether the first day's picture shows the same field as today's, though perhaps in more pixels or fewer.
  get alike() {
    const { image: [width, height] } = this.first ?? { image: [0, 0] };
    return width > 0 && Math.abs((this.size[0] * height) / (this.size[1] * width) - 1) < 0.01;
  }

  get source() {
    if (this.live) return this.about.what === "preview" ? "Live: preview" : "Live: session";
    if (this.first && !this.alike) return "The first picture has other sides: start a preview to see the camera";
    if (this.first) return `First recorded picture, ${this.first.date}`;
    return "No picture yet: start a preview to see the camera";
  }

  // Shows the newest picture; one that comes while the one before is decoded is let go.
  async update(bytes) {
    if (!this.live || !bytes || this.root.hidden || this.drawing) return;
    this.drawing = true;
    const { about } = this;
    try {
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      // It ended, or another mouse was chosen, while it was decoded.
      const old = !this.live || this.about !== about;
      if (!old) this.paint(picture, picture.width, picture.height);
      picture.close();
      if (old) return;
      this.mark();
      this.dispatchEvent(new Event("picture"));
    } finally {
      this.drawing = false;
    }
  }

  paint(picture, width, height) {
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
  }

  fallBack() {
    if (this.live || !this.mouse) return;
    this.showMarks(false);
    const { picture } = this.first ?? {};
    if (picture && this.alike) this.paint(picture, picture.naturalWidth, picture.naturalHeight);
    else [this.canvas.width, this.canvas.height] = this.size;
  }

  // Marks the saturated pixels and the dark ones, as the server finds them in the camera's own counts.
  mark() {
    const now = performance.now();
    const shown = this.live && this.root.querySelector("#place-show-marks").checked;
    if (!shown) this.showMarks(false);
    else if (now - this.marked > MARKS_MS) {
      this.marked = now;
      this.marks.src = `api/live/${encodeURIComponent(this.about.name)}/saturated.png?at=${Math.round(now)}`;
    }
  }

  showMarks(shown) {
    this.marks.hidden = this.legend.hidden = !shown;
  }
}
