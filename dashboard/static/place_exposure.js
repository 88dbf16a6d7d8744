// How bright each ROI is in each channel: bars with words, and what to do about it.

import { cell } from "./place_dom.js";

const ASK_MS = 2000;
const TOPS = [255, 1023, 4095, 16383, 65535];
const SIGNS = { good: "✓", saturated: "▲", dark: "▼" };
const CURES = { saturated: "lower exposure, gain or light", dark: "raise exposure, gain or light" };

export class Exposure {
  constructor(root, picture, page) {
    Object.assign(this, { root, picture, page });
    this.box = root.querySelector("#place-exposure");
    this.body = root.querySelector("#place-exposures tbody");
    this.hint = root.querySelector("#place-camera-hint");
    this.asked = 0;
    this.box.ontoggle = () => this.show();
    picture.addEventListener("status", () => this.show());
    picture.addEventListener("change", () => this.show());
  }

  get seen() {
    return this.box.open && !this.root.hidden;
  }

  show() {
    if (!this.seen) return;
    const { live, status, mouse, about } = this.picture;
    this.hint.textContent = this.about(mouse, live);
    if (!live) this.fill([]);
    else if (about.kind === "clmf") this.fill([]);
    else if (status?.exposures) this.fill(status.exposures);
    else this.ask(about.name);
  }

  about(mouse, live) {
    if (!mouse) return "";
    const made = ["synthetic", "simulated", "replay"].includes(mouse.camera?.vid_source);
    const source = made ? `Frames come from ${mouse.camera.vid_source}: exposure and gain change nothing. ` : "";
    return `${source}${live ? "New values hold from the next preview or session on." : "Start a preview to see how ROIs are exposed."}`;
  }

  // A session does not tell by itself how its ROIs are exposed.
  async ask(name) {
    const now = performance.now();
    if (now - this.asked < ASK_MS) return;
    this.asked = now;
    try {
      const { exposures } = await this.page.api(`live/${encodeURIComponent(name)}/exposure`);
      this.fill(exposures);
    } catch (error) {
      this.hint.textContent = error.message;
    }
  }

  fill(exposures) {
    const top = TOPS.find((each) => exposures.every(({ mean }) => mean <= each));
    this.body.replaceChildren(...exposures.map((found) => this.row(found, top)));
    this.root.querySelector("#place-exposures").hidden = !exposures.length;
  }

  row({ roi, channel, mean, saturated, verdict, cure }, top) {
    const row = cell("tr", "");
    row.dataset.verdict = verdict;
    const bar = Object.assign(cell("span", "", "place-bar"), { title: `${mean} of ${top} counts` });
    bar.style.setProperty("--share", mean / top);
    const level = cell("td", "");
    level.append(bar, cell("span", mean.toFixed(mean < 100 ? 1 : 0)));
    const word = cell("td", `${SIGNS[verdict]} ${verdict}`);
    const todo = cure ?? CURES[verdict];
    if (verdict !== "good" && todo) word.append(cell("small", ` ${todo}`));
    row.append(cell("td", roi), cell("td", channel), level, cell("td", `${(100 * saturated).toFixed(1)} %`), word);
    return row;
  }
}
