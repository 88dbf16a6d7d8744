// The list of ROIs, and the chosen one: its name, its numbers in px and mm, what can be done with it.

import { centreOf, mirrored, numbersOf, toMm, toPx, withMorePoints, withoutPoint, withPoint } from "./place_shapes.js";
import { allSeeds, beside, freeName, mirrorName, nameProblem } from "./place_seeds.js";
import { cell, field, numberField, showNumber } from "./place_dom.js";
import { keep } from "./place_svg.js";

const WORDS = { rect: "rectangle", circle: "circle", polygon: "polygon" };

export class Chosen {
  // `acts`: select(key), place(key, shape, tag), change(changes, chosen key).
  constructor(root, acts) {
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.acts = acts;
    this.refused = null;
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
    keep(this.at("rois"), items.map((item) => [item.key, item]), (key) => this.row(key),
      (row, item) => this.showRow(row, item, problems[item.name]));
    const taken = this.taken();
    const names = allSeeds(draft.mouse.seeds, draft.view).map(([name]) => name).filter((name) => !taken.has(name));
    if (this.at("seed").length !== names.length) {
      this.at("seed").replaceChildren(...names.map((name) => new Option(name, name)));
    }
    this.at("add-seed").disabled = !names.length;
    this.at("chosen").hidden = !this.item;
    if (this.item) this.showItem(problems);
  }

  row(key) {
    const button = cell("button", "");
    button.type = "button";
    button.append(cell("b", ""), cell("span", ""), cell("span", ""));
    button.onclick = () => this.acts.select(key);
    const line = cell("li", "");
    line.append(button, cell("p", "", "error"));
    return line;
  }

  showRow(line, item, problem) {
    const [button, told] = line.children;
    const kind = item.seed ? `seed${item.seed === item.name ? "" : ` ${item.seed}`}` : WORDS[item.shape.kind];
    const chosen = item === this.item;
    // The list shows the one that was chosen on the picture; the page itself stays where it is.
    if (chosen && button.getAttribute("aria-pressed") !== "true") {
      const list = line.parentElement;
      list.scrollTop += Math.max(0, line.getBoundingClientRect().bottom - list.getBoundingClientRect().bottom);
      list.scrollTop -= Math.max(0, list.getBoundingClientRect().top - line.getBoundingClientRect().top);
    }
    button.setAttribute("aria-pressed", chosen);
    const texts = [item.name, kind, item.used && !item.circle ? "in the signal" : ""];
    texts.forEach((text, place) => { button.children[place].textContent = text; });
    told.textContent = problem ? `⚠ ${problem}` : "";
  }

  showItem(problems) {
    const { item, draft } = this;
    // What was refused was another shape's.
    if (this.shown !== item.key) this.at("numbers").replaceChildren();
    this.shown = item.key;
    const name = this.at("name");
    // A name that cannot be stays, with what is wrong with it, until another one is given.
    if (this.refused !== item.key) {
      this.refused = null;
      this.at("name-problem").textContent = "";
      if (document.activeElement !== name) name.value = item.name;
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
    keep(this.at("numbers"), rows.map((row) => [row.id, row]), (id, row) => {
      const set = (value) => this.acts.place(this.item.key, this.again(id).set(value), `number ${id}`);
      return field({ ...row, id: `place-n-${id}`, set });
    }, (box, row) => {
      showNumber(box.querySelector("input"), row.value);
      box.firstChild.textContent = row.label;
    });
  }

  // Returns the row as it is now: a field lives longer than the shape that it was made for.
  again(id) {
    return numbersOf(this.item.shape, this.draft.view).find((row) => row.id === id);
  }

  corners() {
    const { points = [] } = this.item.shape;
    this.at("points").hidden = !points.length;
    const list = points.map((point, place) => [String(place), point]);
    keep(this.at("points").tBodies[0], list, (key) => this.line(Number(key)), (line, [x, y]) => {
      const values = [x, y, ...toMm([x, y], this.draft.view)];
      line.querySelectorAll("input").forEach((input, place) => {
        showNumber(input, Math.round(values[place] * 100) / 100);
      });
    });
  }

  // Returns the line of a polygon's point.
  line(place) {
    const fields = [["x", "px", 1], ["y", "px", 1], ["ml", "mm", 0.05], ["ap", "mm", 0.05]].map(([id, unit, step]) => {
      const label = `Point ${place + 1}, ${id.toUpperCase()}`;
      const set = (value) => this.corner(place, id, value);
      return numberField({ id: `place-p${place}-${id}`, label, unit, step, set });
    });
    const ways = [["+", withMorePoints, "Add a point behind"], ["−", withoutPoint, "Take out"]];
    const buttons = ways.map(([sign, change, what]) => {
      const button = cell("button", sign);
      button.type = "button";
      button.title = `${what} point ${place + 1}`;
      button.setAttribute("aria-label", button.title);
      button.onclick = () => this.acts.place(this.item.key, change(this.item.shape, place), "");
      return button;
    });
    const line = cell("tr", "");
    line.append(cell("th", String(place + 1)), ...[...fields, ...buttons].map((each) => {
      const box = cell("td", "");
      box.append(each);
      return box;
    }));
    return line;
  }

  corner(place, change, value) {
    const { shape } = this.item;
    const [x, y] = shape.points[place];
    const [ml, ap] = toMm([x, y], this.draft.view);
    const { view } = this.draft;
    const point = { x: [value, y], y: [x, value], ml: toPx([value, ap], view), ap: toPx([ml, value], view) };
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
    this.refused = problem ? this.item.key : null;
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

  // Lets somebody write another name.
  name() {
    this.at("name").focus();
    this.at("name").select();
  }
}
