// What the last trials came to, as a row of signs that differ in shape as well as in colour.

import { element } from "./dom.js";

const OUTCOMES = { success: ["●", "success"], fail: ["✕", "fail"], cut_short: ["–", "cut short"] };
const KEPT = 20;

export class Outcomes {
  constructor(root) {
    this.root = root;
    this.clear();
  }

  clear() {
    this.newest = [];
    this.show();
  }

  // Takes events, of which some end a trial. Returns what they came to, in words; "" where none did.
  add(events) {
    const ended = events.filter(([, , kind]) => OUTCOMES[kind]).map(([, , kind, trial]) => [kind, trial]);
    if (!ended.length) return "";
    this.newest = [...this.newest, ...ended].slice(-KEPT);
    this.show();
    return ended.map(words).join(", ");
  }

  show() {
    const { newest, root } = this;
    root.setAttribute("aria-label", newest.map(words).join(", ") || "none yet");
    root.replaceChildren(...(newest.length ? newest.map(sign) : ["none yet"]));
  }
}

const words = ([kind, trial]) => `trial ${trial}: ${OUTCOMES[kind][1]}`;

function sign(outcome) {
  const [kind] = outcome;
  return element("span", { textContent: OUTCOMES[kind][0], title: words(outcome), data: { kind } });
}
