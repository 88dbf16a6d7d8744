// The first day's picture laid over today's: how much of it shows, where it lies, and what the field-of-view check
// finds.

import { again } from "./place_since.js";

const BLINK_MS = 600;

export class First {
  constructor(root, picture, page, acts) {
    Object.assign(this, { picture, page, acts });
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.overlay = this.at("overlay");
    this.blinks = null;
    this.reset();
    for (const id of ["opacity", "shift-x", "shift-y", "rotation"]) this.at(id).oninput = () => this.read();
    this.at("blink").onclick = () => this.blink(this.blinks === null);
    this.at("reset").onclick = () => this.reset();
    this.at("measure").onclick = () => this.measure();
    this.at("move-all").onclick = () => this.moveAll();
    picture.addEventListener("change", () => this.show());
  }

  reset() {
    this.shift = [0, 0];
    this.rotation = 0;
    this.at("measured").textContent = "";
    this.write();
  }

  read() {
    const number = (id) => this.at(id).valueAsNumber || 0;
    this.shift = [number("shift-x"), number("shift-y")];
    this.rotation = number("rotation");
    this.lay();
  }

  write() {
    const tenth = (value) => Math.round(value * 10) / 10;
    [this.at("shift-x").value, this.at("shift-y").value] = this.shift.map(tenth);
    this.at("rotation").value = Math.round(this.rotation * 100) / 100;
    this.lay();
  }

  // Shifts it further; steps with the same start go on from there.
  move(dx, dy, start = this.shift) {
    this.shift = [start[0] + dx, start[1] + dy];
    this.uncover();
    this.write();
  }

  turn(degrees) {
    this.rotation += degrees;
    this.uncover();
    this.write();
  }

  // What is moved by hand must be seen.
  uncover() {
    if (this.at("opacity").value === "0") this.at("opacity").value = 50;
  }

  lay() {
    const [width, height] = this.picture.size;
    const [x, y] = this.shift;
    const opacity = Number(this.at("opacity").value);
    this.at("opacity-text").textContent = `${opacity} %`;
    this.overlay.style.opacity = opacity / 100;
    const shift = `translate(${(100 * x) / width}%, ${(100 * y) / height}%)`;
    this.overlay.style.transform = `${shift} rotate(${this.rotation}deg)`;
    const moved = x !== 0 || y !== 0 || this.rotation !== 0;
    this.at("move-all").disabled = !moved;
    this.at("reset").disabled = !moved;
  }

  show() {
    const { first, mouse, live } = this.picture;
    const laid = Boolean(live && this.picture.alike);
    this.at("first-controls").hidden = this.overlay.hidden = !laid;
    if (!laid) this.blink(false);
    if (first && this.overlay.src !== first.picture.src) this.overlay.src = first.picture.src;
    this.at("first-about").textContent = this.about(first, mouse, live);
    this.at("measure").disabled = !live;
    this.lay();
  }

  about(first, mouse, live) {
    if (!mouse) return "";
    if (!first) {
      return "This mouse has no recorded picture yet: its first session will be what later days are laid over.";
    }
    const of = `of ${first.date}, ${first.image.join(" × ")} px`;
    const size = this.picture.size.join(" × ");
    if (!this.picture.alike) {
      return `The picture ${of}, cannot be laid over one of ${size} px: set the resolution of that day in config.ini.`;
    }
    return live ? `The picture ${of}.` : `The picture ${of}, is what you see; start a preview to lay it over today's.`;
  }

  blink(on) {
    clearInterval(this.blinks);
    this.blinks = null;
    this.at("blink").setAttribute("aria-pressed", on);
    this.lay();
    if (!on) return;
    let shown = false;
    this.blinks = setInterval(() => {
      shown = !shown;
      this.overlay.style.opacity = shown ? 1 : 0;
    }, BLINK_MS);
  }

  async measure() {
    const { mouse, about } = this.picture;
    const said = this.at("measured");
    said.textContent = "Measuring …";
    this.at("measure").disabled = true;
    try {
      const path = `mice/${encodeURIComponent(mouse.mouse)}/view?live=${encodeURIComponent(about.name)}`;
      const found = await this.page.api(path);
      // Meanwhile another mouse may have been chosen.
      if (about.name !== this.picture.about?.name || mouse.mouse !== this.picture.mouse.mouse) {
        said.textContent = "";
        return;
      }
      said.textContent = found.text;
      said.dataset.ok = found.same;
      if (!found.known) return;
      this.shift = found.shift_px;
      this.rotation = found.rotation_deg;
      this.uncover();
      this.write();
    } catch (error) {
      said.textContent = error.message;
      said.dataset.ok = false;
    } finally {
      this.at("measure").disabled = !this.picture.live;
    }
  }

  // Puts shapes and bregma where the first day's picture was moved to. Seeds go with bregma and do not turn.
  moveAll() {
    const { first, size } = this.picture;
    const changes = again(this.acts.draft, first, size, { shift: this.shift, rotation: this.rotation });
    if (!changes) {
      const [row, col] = first.bregma;
      this.page.say(`Nothing was moved: bregma is not where it was on the first day (${row}, ${col}), and the ROIs do `
        + "not lie about it as then. Move them by hand, or first put bregma there if they lie as on that day", false);
      return;
    }
    this.acts.change(changes);
    this.reset();
    this.page.say("All ROIs and bregma were moved; Save keeps it, Undo takes it back");
  }
}
