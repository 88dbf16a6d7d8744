// The list of ROIs, and the chosen one: its name, its numbers in px and mm, what can be done with it.

import { centreOf, mirrored, numbersOf, toMm, toPx, withMorePoints, withoutPoint, withPoint } from "./place_shapes.js";
import { allSeeds, beside, freeName, mirrorName, nameProblem } from "./place_seeds.js";
import { cell, field } from "./place_dom.js";

const WORDS = { rect: "rectangle", circle: "circle", polygon: "polygon" };

export class Chosen {
  // `acts`: select(key), place(key, shape, tag), change(changes, chosen key).
  constructor(root, acts) {
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.acts = acts;
    this.at("name").onchange = () => this.rename();
    this.at("name").onkeydown = ({ key }) => {
      if (key === "Enter") this.at("name").blur();
    };
    this.at("use").onclick = () => this.acts.change(this.draft.signal(this.item.name), this.item.key);
    this.at("mirror").onclick = () => this.mirror();
    this.at("copy").onclick = () => this.copy();
    this.at("delete").onclick = () => this.remove();
    this.at("add-seed").onclick = () => this.addSeed();
  }

  // Shows a draft; `problems` of ROIs: name to text.
  show(draft, selected, problems) {
    this.draft = draft;
    const items = draft.items();
    this.item = items.find(({ key }) => key === selected) ?? null;
    const list = this.at("rois");
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    list.replaceChildren(...items.map((item) => this.row(item, problems)));
    list.querySelector(`[data-key="${CSS.escape(focused ?? "")}"]`)?.focus();
    const names = allSeeds(draft.mouse.seeds, draft.view).map(([name]) => name).filter((name) => !this.taken().has(name));
    if (this.at("seed").length !== names.length) this.at("seed").replaceChildren(...names.map((name) => new Option(name, name)));
    this.at("add-seed").disabled = !names.length;
    this.at("chosen").hidden = !this.item;
    if (this.item) this.showItem(problems);
  }

  row(item, problems) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.key = item.key;
    button.setAttribute("aria-pressed", item === this.item);
    const kind = `${item.seed ? `seed${item.seed === item.name ? "" : ` ${item.seed}`}` : WORDS[item.shape.kind]}`;
    button.append(cell("b", item.name), cell("span", kind), cell("span", item.used && !item.circle ? "in the signal" : ""));
    button.onclick = () => this.acts.select(item.key);
    const line = cell("li", "");
    line.append(button);
    if (problems[item.name]) line.append(cell("p", `⚠ ${problems[item.name]}`, "error"));
    return line;
  }

  showItem(problems) {
    const { item, draft } = this;
    const name = this.at("name");
    if (document.activeElement !== name) {
      name.value = item.name;
      this.at("name-problem").textContent = "";
    }
    name.disabled = Boolean(item.circle);
    this.at("kind").textContent = item.seed ? `at seed ${item.seed}` : WORDS[item.shape.kind];
    this.at("roi-problem").textContent = problems[item.name] ?? "";
    this.at("use").disabled = draft.formula.toUpperCase() === item.name;
    const back = item.own && !item.seed && allSeeds(draft.mouse.seeds, draft.view).some(([seed]) => seed === item.name);
    this.at("delete").textContent = back ? "Back to the seed" : "Delete";
    this.at("delete").disabled = !item.own;
    this.numbers(numbersOf(item.shape, draft.view));
    this.corners();
  }

  numbers(rows) {
    fill(this.at("numbers"), rows, (row) => `n-${row.id}`, (row) => {
      const set = (value) => this.acts.place(this.item.key, this.again(row.id).set(value), `number ${row.id}`);
      return field({ ...row, id: `place-n-${row.id}`, set });
    });
  }

  // Returns the row as it is now: a field lives longer than the shape that it was made for.
  again(id) {
    return numbersOf(this.item.shape, this.draft.view).find((row) => row.id === id);
  }

  corners() {
    const { shape } = this.item;
    const rows = (shape.points ?? []).flatMap((point, place) => {
      const [ml, ap] = toMm(point, this.draft.view);
      const set = (change) => (value) => this.corner(place, change, value);
      return [
        { id: `p${place}-x`, place, label: `Point ${place + 1} x`, unit: "px", value: point[0], step: 1, set: set("x") },
        { id: `p${place}-y`, place, label: "y", unit: "px", value: point[1], step: 1, set: set("y") },
        { id: `p${place}-ml`, place, label: "ML", unit: "mm", value: ml, step: 0.05, set: set("ml") },
        { id: `p${place}-ap`, place, label: "AP", unit: "mm", value: ap, step: 0.05, set: set("ap") },
        { id: `p${place}-more`, place, button: "+", label: `Add a point behind point ${place + 1}` },
        { id: `p${place}-less`, place, button: "−", label: `Take out point ${place + 1}` },
      ];
    });
    fill(this.at("points"), rows, (row) => row.id, (row) => {
      if (!row.button) return field({ ...row, id: `place-${row.id}`, value: Math.round(row.value * 100) / 100 });
      const button = cell("button", row.button);
      button.type = "button";
      button.setAttribute("aria-label", row.label);
      button.onclick = () => {
        const change = row.button === "+" ? withMorePoints : withoutPoint;
        this.acts.place(this.item.key, change(this.item.shape, row.place), "");
      };
      return button;
    });
  }

  corner(place, change, value) {
    const { shape } = this.item;
    const [x, y] = shape.points[place];
    const [ml, ap] = toMm([x, y], this.draft.view);
    const point = { x: [value, y], y: [x, value], ml: toPx([value, ap], this.draft.view), ap: toPx([ml, value], this.draft.view) };
    this.acts.place(this.item.key, withPoint(shape, place, point[change]), `number ${place}${change}`);
  }

  taken() {
    return new Set(this.draft.items().map(({ name }) => name));
  }

  rename() {
    const name = this.at("name").value.trim();
    const others = this.taken();
    others.delete(this.item.name);
    const problem = nameProblem(name, others);
    this.at("name-problem").textContent = problem && `${name || "no name"}: ${problem}`;
    if (!problem && name.toUpperCase() !== this.item.name) {
      this.acts.change(this.draft.renaming(this.item, name), `roi.${name.toLowerCase()}`);
    }
  }

  mirror() {
    const { name, shape, seed } = this.item;
    const to = mirrorName(name, this.taken());
    if (seed && centreOf(shape)[0] === this.draft.view.bregma[1]) return;
    this.acts.addNamed(to, mirrored(shape, this.draft.view.bregma[1]));
  }

  copy() {
    this.acts.addNamed(freeName(this.taken()), beside(this.item.shape));
  }

  remove() {
    if (this.item?.own) this.acts.change({ [this.item.key]: null }, null);
  }

  addSeed() {
    const name = this.at("seed").value;
    if (name) this.acts.change({ [`roi.${name}`]: name }, `roi.${name.toLowerCase()}`);
  }

  // Does what a key on a shape asks for; returns whether it asked for anything.
  shortcut(key) {
    const does = { Delete: "delete", Backspace: "delete", m: "mirror", d: "copy" }[key.length > 1 ? key : key.toLowerCase()];
    if (key === "Enter") {
      this.at("name").focus();
      this.at("name").select();
    } else if (does) this.at(does).click();
    else return false;
    return true;
  }
}

// Makes a box hold one element per row; fields that are there stay, so that typing goes on, and take the new value.
function fill(box, rows, keyOf, make) {
  const keys = rows.map(keyOf).join();
  if (box.dataset.keys !== keys) {
    box.replaceChildren(...rows.map(make));
    box.dataset.keys = keys;
    return;
  }
  rows.forEach((row, place) => {
    const input = box.children[place].querySelector("input");
    if (input && input !== document.activeElement) input.value = Math.round(row.value * 100) / 100;
  });
}
