// How bright each ROI is in each channel, where it lies now: bars with words, and what to set.

import { cell } from "./place_dom.js";
import { textOf } from "./place_shapes.js";

const ASK_MS = 1000;
const SIGNS = { good: "✓", saturated: "▲", dark: "▼" };
const ADVISED = ["shutter_speed", "iso"];

export class Exposure {
  // `acts`: draft, change(changes).
  constructor(root, picture, page, acts) {
    Object.assign(this, { root, picture, page, acts });
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.asked = 0;
    this.advice = null;
    this.at("exposure").ontoggle = () => this.show();
    this.at("take-advice").onclick = () => this.take();
    picture.addEventListener("picture", () => this.ask());
    picture.addEventListener("change", () => this.show());
  }

  show() {
    const { mouse, live } = this.picture;
    if (!mouse || !this.at("exposure").open) return;
    this.at("camera-hint").textContent = live ? "New values hold from the next preview or session on."
      : "Start a preview to see how ROIs are exposed.";
    if (!live) this.fill({ rois: [], outside: [], image: null, advice: null });
  }

  // Asks once a second, while somebody looks, how the ROIs are exposed where they lie now.
  async ask() {
    const now = performance.now();
    const { live, about } = this.picture;
    const seen = this.at("exposure").open && !this.root.hidden && live && this.acts.draft;
    if (!seen || now - this.asked < ASK_MS) return;
    this.asked = now;
    const shapes = about.kind === "clnf" ? this.acts.draft.items().filter(({ used }) => used) : [];
    const query = new URLSearchParams(shapes.map(({ name, shape }) => [`roi.${name}`, textOf(shape)]));
    try {
      const told = await this.page.api(`live/${encodeURIComponent(about.name)}/exposure?${query}`);
      if (this.picture.live) this.fill(told);
    } catch (error) {
      this.at("camera-hint").textContent = error.message;
    }
  }

  fill({ rois, outside, image, advice }) {
    this.advice = advice;
    this.at("exposures").hidden = !rois.length;
    this.at("exposures").tBodies[0].replaceChildren(...rois.map((found) => this.row(found, image.top)));
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    const all = image
      ? `Of the whole picture ${percent(image.saturated)} are saturated, ${percent(image.dark)} dark.` : "";
    const cured = rois.filter(({ cure }) => cure);
    const cures = new Map(cured.map(({ verdict, cure }) => [verdict, `Where ${verdict}: ${cure}.`]));
    const gone = outside.length ? `Outside the picture: ${outside.join(", ")}.` : "";
    this.at("lost").textContent = [...cures.values(), all, gone].filter(Boolean).join(" ");
    this.at("advice").textContent = advice?.text ?? "";
    this.at("take-advice").hidden = !advice || ADVISED.every((key) => advice[key] === null);
  }

  take() {
    const given = ADVISED.filter((key) => this.advice?.[key] !== null);
    this.acts.change(Object.fromEntries(given.map((key) => [key, String(this.advice[key])])));
  }

  row({ roi, channel, mean, saturated, verdict }, top) {
    const row = cell("tr", "");
    row.dataset.verdict = verdict;
    const bars = [[mean / top, mean.toFixed(mean < 100 ? 1 : 0)], [saturated, `${(100 * saturated).toFixed(1)} %`]];
    const cells = bars.map(([share, text]) => {
      const bar = cell("span", "", "place-bar");
      bar.style.setProperty("--share", Math.min(1, share));
      const each = cell("td", "");
      each.append(bar, cell("span", text));
      return each;
    });
    row.append(cell("td", roi), cell("td", channel), ...cells, cell("td", `${SIGNS[verdict]} ${verdict}`));
    return row;
  }
}
