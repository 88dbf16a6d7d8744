// A picture that can be made larger: buttons, + - 0, or a click where it is to be seen larger.

import { element } from "./dom.js";

const LEVELS = [1, 1.5, 2, 3, 4];

export class Figure {
  constructor(root) {
    this.root = root;
    this.level = 0;
    this.image = element("img");
    this.image.onerror = () => this.show(null);
    this.image.onclick = (event) => this.zoomAt(event);
    this.view = element("div", { className: "back-view", tabIndex: 0, role: "group" }, this.image);
    this.view.onkeydown = (event) => {
      const step = { "+": 1, "=": 1, "-": -1, 0: -LEVELS.length }[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.zoom(this.level + step);
    };
    this.bar = element("div", { className: "back-bar" });
    this.smaller = element("button", { type: "button", aria: { label: "Smaller" } }, "−");
    this.larger = element("button", { type: "button", aria: { label: "Larger" } }, "+");
    this.alone = element("a", { target: "_blank", className: "button" }, "Open alone");
    this.smaller.onclick = () => this.zoom(this.level - 1);
    this.larger.onclick = () => this.zoom(this.level + 1);
    this.bar.append(this.smaller, this.larger, this.alone);
    this.none = element("p", { className: "back-quiet" }, "no figure");
    root.append(this.bar, this.view, this.none);
    this.show(null);
  }

  // Shows the picture at an address; null: none.
  show(address, title = "") {
    this.bar.hidden = this.view.hidden = !address;
    this.none.hidden = Boolean(address);
    if (!address) {
      this.image.removeAttribute("src");
      return;
    }
    this.image.src = this.alone.href = address;
    this.image.alt = title;
    this.view.setAttribute("aria-label", `${title}; + and − change its size`);
    this.zoom(0);
  }

  zoom(level) {
    this.level = Math.min(Math.max(0, level), LEVELS.length - 1);
    this.image.style.width = `${100 * LEVELS[this.level]}%`;
    this.smaller.disabled = this.level === 0;
    this.larger.disabled = this.level === LEVELS.length - 1;
  }

  // A click shows that place at twice its size; one more, the whole again.
  zoomAt({ offsetX, offsetY }) {
    const { clientWidth, clientHeight } = this.image;
    const [x, y] = [offsetX / clientWidth, offsetY / clientHeight];
    this.zoom(this.level ? 0 : LEVELS.indexOf(2));
    this.view.scrollTo(x * this.image.clientWidth - this.view.clientWidth / 2,
      y * this.image.clientHeight - this.view.clientHeight / 2);
  }
}
