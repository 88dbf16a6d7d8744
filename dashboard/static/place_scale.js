// Pixels per mm from two points whose distance is known.

import { cell } from "./place_dom.js";

export class Scale {
  constructor(root, acts) {
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.acts = acts;
    this.ends = null;
    this.at("mm").oninput = () => this.show();
    this.at("take-scale").onclick = () => this.acts.change({ ppmm: String(this.found) });
  }

  // Takes the two points, one, or none.
  take(ends) {
    this.ends = ends;
    if (ends) this.at("scale-box").open = true;
    this.show();
  }

  show() {
    const [a, b] = this.ends ?? [];
    const mm = this.at("mm").valueAsNumber;
    const px = b ? Math.hypot(b[0] - a[0], b[1] - a[1]) : 0;
    const known = px >= 2 && mm > 0;
    this.found = known ? Math.round((px / mm) * 1e4) / 1e4 : null;
    this.at("take-scale").disabled = !known;
    this.at("scale-text").replaceChildren();
    if (!known) {
      this.at("scale-text").textContent = b ? "Give how many mm the two points are apart." : "";
      return;
    }
    // Each end is read to about a pixel.
    const error = (100 * Math.SQRT2) / px;
    this.at("scale-text").append(`${px.toFixed(1)} px: `, cell("b", `${this.found} px/mm`),
      ` (± ${error.toFixed(1)} %; ${this.acts.draft.text("ppmm")} now)`);
  }
}
