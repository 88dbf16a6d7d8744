// What is changed of a mouse and not saved yet: keys with new texts (null: taken out), and the way back.

import { NAME, shapeOf, textOf } from "./place_shapes.js";
import { namesIn, renamedIn, seedShape } from "./place_seeds.js";

const KEPT = 200;
const PREFIX = "roi.";
const RULE = ["roi", "roi_operation"];

export class Draft {
  constructor(mouse) {
    this.changes = {};
    this.past = [];
    this.future = [];
    this.tag = "";
    this.take(mouse);
  }

  // Takes what the server says of the mouse; changes that it has already are none.
  take(mouse) {
    this.mouse = mouse;
    this.checked = mouse.rois ?? {};
    this.base = lowered(mouse.values);
    this.own = new Set(mouse.own.map((key) => key.toLowerCase()));
    this.changes = this.needed(this.changes);
  }

  // Takes what the server says once changes, `sent`, are saved; what was changed meanwhile is not.
  saved(mouse, sent) {
    const since = Object.entries(this.changes).filter(([key, text]) => !(key in sent) || sent[key] !== text);
    this.changes = Object.fromEntries(since);
    this.past = [];
    this.future = [];
    this.take(mouse);
  }

  // Changes keys: {key: text or null}. Steps in a row with the same tag are one step back.
  set(changes, tag = "") {
    const next = this.needed({ ...this.changes, ...lowered(changes) });
    if (JSON.stringify(next) === JSON.stringify(this.changes)) return;
    if (!tag || tag !== this.tag) {
      this.past.push(this.changes);
      if (this.past.length > KEPT) this.past.shift();
    }
    this.tag = tag;
    this.future = [];
    this.changes = next;
  }

  // The next step is one of its own, whatever its tag.
  pause() {
    this.tag = "";
  }

  needed(changes) {
    const differs = ([key, text]) => (text === null ? this.own.has(key) : this.base[key] !== text);
    return Object.fromEntries(Object.entries(changes).filter(differs));
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return false;
    to.push(this.changes);
    this.changes = from.pop();
    this.tag = "";
    return true;
  }

  get dirty() {
    return Object.keys(this.asked()).length > 0;
  }

  // Returns what a key is with the changes; "" where it is not given.
  text(key) {
    return (key in this.changes ? this.changes[key] : this.base[key]) ?? "";
  }

  // Returns [[key, old, new], ...] of what would be saved; null: not given.
  diff() {
    return Object.entries(this.asked()).map(([key, text]) => [key, this.base[key.toLowerCase()] || null, text]);
  }

  // Returns the changes as the server takes them. A mouse's own rule takes the place of its experiment's, which needs
  // no word.
  asked() {
    const silent = ([key, text]) => RULE.includes(key) && text === "" && !this.own.has(key);
    const kept = Object.entries(this.changes).filter((change) => !silent(change));
    return Object.fromEntries(kept.map(([key, text]) => [shown(key), text]));
  }

  get view() {
    const pair = (key, otherwise) => {
      const numbers = this.text(key).split(",").map(Number);
      return numbers.length === 2 && numbers.every(Number.isFinite) ? numbers : otherwise;
    };
    const ppmm = Number(this.text("ppmm"));
    return {
      ppmm: ppmm > 0 ? ppmm : this.mouse.ppmm,
      bregma: pair("bregma", this.mouse.bregma),
      roiSize: pair("roi_size", [0.3, 0.3]),
    };
  }

  get formula() {
    return this.text("roi") || this.text("roi_operation");
  }

  // Returns the changes that make a name or formula the signal.
  signal(text) {
    const one = NAME.test(text);
    const without = (key) => (this.own.has(key) ? null : "");
    return one ? { roi: text, roi_operation: without("roi_operation") } : { roi: without("roi"), roi_operation: text };
  }

  // Returns the ROIs: {name, key, shape, seed (its name or null), used (in the signal), own (may be taken out)}.
  rois() {
    const { seeds = {} } = this.mouse;
    const names = new Set(namesIn(this.formula));
    const placed = [...new Set([...Object.keys(this.base), ...Object.keys(this.changes)])]
      .filter((key) => key.startsWith(PREFIX) && this.text(key)).map((key) => key.slice(PREFIX.length).toUpperCase());
    return [...new Set([...names, ...placed])].map((name) => {
      const key = PREFIX + name.toLowerCase();
      const text = this.text(key) || name;
      const seed = NAME.test(text) ? text.toUpperCase() : null;
      const shape = seed ? seedShape(seed, seeds, this.view) ?? shapeOf(this.checked[name]?.text) : shapeOf(text);
      const own = key in this.changes ? this.changes[key] !== null : this.own.has(key);
      return { name, key, shape, seed, used: names.has(name), own };
    }).filter(({ shape }) => shape);
  }

  // Returns the circles of a movement mouse, as ROIs whose place and radius are keys of their own.
  circles() {
    if (this.mouse.kind !== "clmf") return [];
    return ["start", "target"].map((name) => {
      const [x, y] = this.text(`${name}_center`).split(",").map(Number);
      const r = Number(this.text(`${name}_radius_mm`)) * this.view.ppmm;
      return { name, key: `${name}_center`, shape: { kind: "circle", x, y, r }, seed: null, used: true, circle: true };
    }).filter(({ shape: { x, y, r } }) => [x, y, r].every(Number.isFinite));
  }

  items() {
    return this.mouse.kind === "clmf" ? this.circles() : this.rois();
  }

  // Returns the changes that place an item.
  placing(item, shape) {
    if (!item.circle) return { [item.key]: textOf(shape) };
    const tidy = (value, digits) => String(Number(value.toFixed(digits)));
    const changes = { [item.key]: `${tidy(shape.x, 1)}, ${tidy(shape.y, 1)}` };
    if (Math.abs(shape.r - item.shape.r) > 1e-9) changes[`${item.name}_radius_mm`] = tidy(shape.r / this.view.ppmm, 3);
    return changes;
  }

  // Returns the changes that place bregma, [row, column].
  bregma(place) {
    return { bregma: place.map((each) => String(Math.round(each * 10) / 10)).join(", ") };
  }

  // Returns the changes that give an ROI another name, in the signal too.
  renaming(item, name) {
    const to = name.toUpperCase();
    const text = this.text(item.key) || item.seed;
    const changes = { [item.key]: null, [PREFIX + to]: text };
    return item.used ? { ...changes, ...this.signal(renamedIn(this.formula, item.name, to)) } : changes;
  }
}

const lowered = (values) => Object.fromEntries(Object.entries(values).map(([key, text]) => [key.toLowerCase(), text]));

// Names of ROIs are written in capitals.
const shown = (key) => (key.startsWith(PREFIX) ? PREFIX + key.slice(PREFIX.length).toUpperCase() : key);
