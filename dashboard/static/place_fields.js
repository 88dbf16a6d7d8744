// The keys of config.ini that have a field of their own in the Place tab, and what is wrong, beside the field it is
// about.

import { NAME } from "./place_shapes.js";
import { cell } from "./place_dom.js";

const KEYS = {
  clnf: [
    ["signal", "Signal", "an ROI, or a formula such as BC_L-BC_R"],
    ["bregma", "Bregma", "px: row, column"],
    ["ppmm", "Scale", "px/mm"],
    ["roi_size", "Size of a seed's ROI", "mm: width, height"],
  ],
  clmf: [["ppmm", "Scale", "px/mm"]],
};
const RULE = ["roi", "roi_operation"];

export class Fields {
  // `change(changes)` is told what was typed.
  constructor(root, change) {
    this.root = root;
    this.box = root.querySelector("#place-keys");
    this.camera = root.querySelector("#place-camera");
    this.rest = root.querySelector("#place-problems");
    this.change = change;
  }

  // Makes the fields of a mouse.
  make(draft) {
    this.draft = draft;
    const { kind, camera } = draft.mouse;
    this.box.replaceChildren(...(KEYS[kind] ?? []).map(([key, label, unit]) => this.field(key, label, unit)));
    const exposure = Object.entries(camera?.exposure_keys ?? {});
    const labels = { shutter_speed: "Exposure time", iso: "Gain (ISO; 100 is 1×)" };
    this.camera.replaceChildren(...exposure.map(([key, facts]) => this.field(key, labels[key], facts.unit, facts)));
    this.inputs = [...this.root.querySelectorAll("input[data-config]")];
  }

  field(key, label, unit, facts = null) {
    const input = Object.assign(document.createElement("input"), {
      id: `place-key-${key}`, type: "text", autocomplete: "off",
    });
    input.dataset.config = key;
    input.spellcheck = false;
    if (facts) {
      // A field of numbers says "" of what is none, which would take the key out of the mouse's section.
      input.inputMode = "numeric";
      input.title = `${facts.min} to ${facts.max} ${facts.unit}`;
    }
    input.onchange = () => this.change(this.changes(key, input.value.trim()));
    input.onkeydown = (event) => {
      if (event.key === "Enter") input.onchange();
    };
    const box = cell("div", "", "place-field");
    const tag = cell("label", "");
    const words = cell("span", label);
    words.append(cell("small", unit));
    tag.append(words, input);
    const problem = cell("p", "", "error");
    problem.id = `place-problem-${key}`;
    problem.setAttribute("role", "alert");
    input.setAttribute("aria-describedby", problem.id);
    box.append(tag, problem);
    return box;
  }

  changes(key, text) {
    if (key === "signal") return this.draft.signal(NAME.test(text) ? text.toUpperCase() : text);
    // An empty field takes the key out of the mouse's section: its experiment's value holds.
    return { [key]: text || null };
  }

  // Shows the values, and problems: [{key, text}]. Returns those of ROIs that are shown, `names`: name to text.
  show(problems, names) {
    const { draft } = this;
    for (const input of this.inputs) {
      const key = input.dataset.config;
      const text = key === "signal" ? draft.formula : draft.text(key);
      if (input !== document.activeElement && input.value !== text) input.value = text;
      input.dataset.changed = key === "signal" ? RULE.some((rule) => rule in draft.changes) : key in draft.changes;
    }
    const rois = {};
    const rest = [];
    const here = Object.fromEntries(this.inputs.map((input) => [input.dataset.config, []]));
    for (const { key, text } of problems) {
      const name = key?.toLowerCase() ?? "";
      const field = RULE.includes(name) ? "signal" : name;
      const roi = field.startsWith("roi.") ? field.slice(4).toUpperCase() : "";
      if (names.has(roi)) rois[roi] = text;
      else if (here[field]) here[field].push(text);
      else rest.push(key ? `${key}: ${text}` : text);
    }
    for (const [key, texts] of Object.entries(here)) {
      this.root.querySelector(`#place-problem-${key}`).textContent = texts.join("; ");
      this.root.querySelector(`#place-key-${key}`).setAttribute("aria-invalid", texts.length > 0);
    }
    this.rest.replaceChildren(...rest.map((text) => cell("li", text)));
    return rois;
  }
}
