// The picture with what lies on it: ROIs, seeds, bregma, a grid of mm. Draws, and tells what a hand does to it.
//
// `acts` is told: select(key), place(key, shape, tag), bregma([row, col], tag), name() where the chosen one is to be
// named, press(event) where nothing lies, measured() once the picture has another size on the screen.

import { boxOf, moveWithin, numbersOf, resized, withMorePoints, withoutPoint, withPoint } from "./place_shapes.js";
import { corner as nameCorner } from "./shapes.js";
import { allSeeds } from "./place_seeds.js";
import { drag, keep, outline, put, svg } from "./place_svg.js";

const LAYERS = ["grid", "seeds", "items", "bregma", "handles", "tool"];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KINDS = { rect: "rectangle", circle: "circle", polygon: "polygon" };
const CORNERS = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
const SIDES = [[0, -1], [1, 0], [0, 1], [-1, 0]];
const MARKS = ".handle, .item, .bregma > g";
const ROOMY_PX = 44;

export class Stage {
  constructor(root, acts) {
    this.root = root;
    this.acts = acts;
    this.size = [256, 256];
    this.px = 1;
    this.drags = 0;
    this.layers = Object.fromEntries(LAYERS.map((name) => [name, svg("g", { class: name })]));
    root.append(...Object.values(this.layers));
    root.addEventListener("pointerdown", (event) => this.press(event));
    // A finger on a shape moves the shape, not the page; Chromium minds touch-action on no part of an SVG.
    root.addEventListener("touchstart", (event) => {
      if (event.target.closest(MARKS)) event.preventDefault();
    }, { passive: false });
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", ({ target }) => {
      const item = target.closest(".item");
      if (item) this.acts.select(item.dataset.key);
    });
    new ResizeObserver(() => this.measure()).observe(root);
  }

  measure() {
    const { width } = this.root.getBoundingClientRect();
    if (!width) return;
    this.px = this.size[0] / width;
    this.root.style.setProperty("--px", this.px);
    if (this.scene) this.draw(this.scene);
    this.acts.measured();
  }

  resize(size) {
    this.size = size;
    put(this.root, { viewBox: `0 0 ${size[0]} ${size[1]}` });
    this.measure();
  }

  // Returns where a pointer is, px of the picture.
  point({ clientX, clientY }) {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.root.getScreenCTM().inverse());
    return [x, y];
  }

  // Draws a scene: {items, selected, view, seeds, show: {grid, seeds, bregma}, bad: names with a problem}.
  draw(scene) {
    this.scene = scene;
    const { items, selected, view, seeds, show } = scene;
    this.grid(show.grid ? view : null);
    const marks = show.seeds ? allSeeds(seeds, view) : [];
    keep(this.layers.seeds, marks, seedMark, (mark, place) => put(mark, { transform: this.at([place[1], place[0]]) }));
    keep(this.layers.items, items.map((item) => [item.key, item]), itemMark, (mark, item) => this.item(mark, item));
    keep(this.layers.bregma, show.bregma ? [["bregma", view.bregma]] : [], bregmaMark, (mark, [row, col]) => {
      const label = `Bregma, row ${row}, column ${col}; arrow keys move it`;
      put(mark, { transform: this.at([col, row]), "aria-label": label });
    });
    const item = items.find(({ key }) => key === selected);
    const handles = item ? this.handles(item.shape) : [];
    keep(this.layers.handles, handles, handleMark, (mark, handle) => this.handle(mark, handle, item));
  }

  at([x, y]) {
    return `translate(${x} ${y}) scale(${this.px})`;
  }

  item(mark, item) {
    const { selected, bad } = this.scene;
    const { name, shape } = item;
    for (const path of mark.querySelectorAll("path")) put(path, { d: outline(shape) });
    const [x0, , x1] = boxOf(shape);
    const label = mark.querySelector("text");
    label.textContent = `${bad.has(name) ? "⚠ " : ""}${name}`;
    const right = x1 + (name.length * 9 + 8) * this.px > this.size[0];
    const [x, y] = nameCorner(shape);
    const place = right ? (shape.points ? x : x0) - 5 * this.px : x + 5 * this.px;
    put(label, { transform: this.at([place, Math.max(y, 12 * this.px)]), "text-anchor": right ? "end" : "start" });
    const numbers = numbersOf(shape, this.scene.view).map(({ label: what, value, unit }) => `${what} ${value} ${unit}`);
    put(mark, {
      class: ["item", key(item.key === selected, "chosen"), key(!item.used, "unused"), key(item.seed, "seed"),
        key(bad.has(name), "bad")].filter(Boolean).join(" "),
      "data-roi": name,
      "aria-label": `${name}, ${KINDS[shape.kind]}${item.seed ? " at a seed" : ""}: ${numbers.join(", ")}`,
      "aria-pressed": item.key === selected,
    });
  }

  // Returns the handles of the chosen shape: [[key, {at, sides or corner or between}], ...].
  handles(shape) {
    if (shape.points) {
      const after = (place) => shape.points[(place + 1) % shape.points.length];
      const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      const room = (place) => place === undefined || this.apart(shape.points[place], after(place)) > ROOMY_PX;
      return shape.points.flatMap((point, place) => [
        [`corner${place}`, { at: point, corner: place }],
        [`between${place}`, { at: middle(point, after(place)), between: place }],
      ]).filter(([, { between }]) => room(between));
    }
    const [x0, y0, x1, y1] = boxOf(shape);
    const roomy = Math.min(x1 - x0, y1 - y0) / this.px > ROOMY_PX;
    const out = roomy ? 0 : (matchMedia("(pointer: coarse)").matches ? 18 : 9) * this.px;
    const all = shape.kind === "circle" ? SIDES : roomy ? [...CORNERS, ...SIDES] : CORNERS;
    return all.map(([sx, sy]) => [`side${sx},${sy}`, {
      at: [(x0 + x1) / 2 + sx * ((x1 - x0) / 2 + out), (y0 + y1) / 2 + sy * ((y1 - y0) / 2 + out)], sides: [sx, sy],
    }]);
  }

  // Returns how far two points are apart on the screen.
  apart(a, b) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]) / this.px;
  }

  handle(mark, handle, item) {
    mark.handle = handle;
    const vertex = handle.corner !== undefined;
    const label = vertex ? `Point ${handle.corner + 1} of ${item.name}; arrow keys move it, Delete takes it out` : null;
    put(mark, {
      transform: this.at(handle.at),
      class: `handle ${handle.between === undefined ? "" : "between"}`,
      style: handle.sides ? `cursor: ${cursor(handle.sides)}` : null,
      tabindex: vertex ? 0 : null,
      role: vertex ? "button" : null,
      "aria-label": label,
      "aria-hidden": vertex ? null : true,
    });
  }

  grid(view) {
    const lines = [];
    if (view) {
      const [width, height] = this.size;
      const [row, col] = view.bregma ?? [0, 0];
      const every = [1, 2, 5, 10].find((mm) => (mm * view.ppmm) / this.px >= 24) ?? 20;
      const step = every * view.ppmm;
      for (let n = Math.ceil(-col / step); col + n * step <= width; n++) {
        lines.push([`x${n}`, { d: `M${col + n * step},0V${height}`, main: n === 0 }]);
      }
      for (let n = Math.ceil(-row / step); row + n * step <= height; n++) {
        lines.push([`y${n}`, { d: `M0,${row + n * step}H${width}`, main: n === 0 }]);
      }
      const [x, y] = [10 * this.px, height - 12 * this.px];
      lines.push(["bar", { d: `M${x},${y}h${step}`, bar: true }]);
      lines.push(["mm", { text: `${every} mm`, at: [x, y - 6 * this.px] }]);
    }
    keep(this.layers.grid, lines, (id, { text }) => svg(text ? "text" : "path"), (mark, { d, main, bar, text, at }) => {
      if (text) {
        mark.textContent = text;
        put(mark, { transform: this.at(at) });
      } else put(mark, { d, class: bar ? "bar" : main ? "main" : "" });
    });
  }

  press(event) {
    if (event.button) return;
    const mark = event.target.closest(MARKS);
    if (!mark || this.root.dataset.tool !== "select") {
      this.acts.press(event);
      return;
    }
    event.preventDefault();
    // Without a scroll: the page must not jump under the hand.
    if (mark.hasAttribute("tabindex")) mark.focus({ preventScroll: true });
    const tag = `drag ${++this.drags}`;
    if (mark.dataset.key === "bregma") {
      const [row, col] = this.scene.view.bregma;
      drag(this, event, (x, y, dx, dy) => this.acts.bregma([row + dy, col + dx], tag));
    } else if (mark.handle) this.pull(mark.handle, event, tag);
    else {
      this.acts.select(mark.dataset.key);
      const { shape } = this.chosen();
      drag(this, event, (x, y, dx, dy) => this.acts.place(mark.dataset.key, moveWithin(shape, dx, dy, this.size), tag));
    }
  }

  // Drags a handle of the chosen shape.
  pull({ sides, corner, between }, event, tag) {
    const { key: name, shape } = this.chosen();
    const change = (x, y, dx, dy) => {
      if (sides) return resized(shape, sides, dx, dy);
      return between === undefined ? withPoint(shape, corner, [x, y]) : withMorePoints(shape, between, [x, y]);
    };
    drag(this, event, (...to) => this.acts.place(name, change(...to), tag));
  }

  chosen() {
    return this.scene.items.find(({ key: name }) => name === this.scene.selected);
  }

  key(event) {
    const mark = event.target.closest(MARKS);
    if (!mark || event.ctrlKey || event.metaKey) return;
    const step = STEPS[event.key];
    const size = event.shiftKey ? 10 : 1;
    const [dx, dy] = step ? step.map((each) => each * size) : [0, 0];
    if (mark.dataset.key === "bregma") {
      if (!step) return;
      const [row, col] = this.scene.view.bregma;
      this.acts.bregma([row + dy, col + dx], "keys bregma");
    } else if (mark.handle) {
      if (!this.cornerKey(event, mark, dx, dy)) return;
    } else if (!this.itemKey(event, mark.dataset.key, dx, dy)) return;
    event.preventDefault();
  }

  itemKey(event, name, dx, dy) {
    // Esc chooses none and leaves the focus where it is.
    this.acts.select(name);
    const { shape } = this.chosen();
    if (STEPS[event.key]) {
      // Alt: to the right and down it grows.
      const sides = dx ? [1, 0] : [0, 1];
      const next = event.altKey ? resized(shape, sides, dx, dy) : moveWithin(shape, dx, dy, this.size);
      this.acts.place(name, next, `keys ${name}`);
      return true;
    }
    if (event.key === "Enter") this.acts.name();
    return event.key === "Enter";
  }

  cornerKey(event, mark, dx, dy) {
    const { key: name, shape } = this.chosen();
    const { corner } = mark.handle;
    if (STEPS[event.key]) {
      const [x, y] = shape.points[corner];
      this.acts.place(name, withPoint(shape, corner, [x + dx, y + dy]), `keys ${name} ${corner}`);
      return true;
    }
    if (!["Delete", "Backspace", "Insert", "+"].includes(event.key)) return false;
    const more = ["Insert", "+"].includes(event.key);
    this.acts.place(name, more ? withMorePoints(shape, corner) : withoutPoint(shape, corner), "");
    return true;
  }

}

const key = (holds, name) => (holds ? name : "");

const cursor = ([sx, sy]) => (sx && sy ? (sx === sy ? "nwse-resize" : "nesw-resize") : sx ? "ew-resize" : "ns-resize");

function itemMark() {
  return svg("g", { tabindex: 0, role: "button" },
    svg("path", { class: "hit" }), svg("path", { class: "halo" }), svg("path", { class: "line" }), svg("text"));
}

function seedMark(name) {
  const label = svg("text", { x: 5, y: -4 });
  label.textContent = name;
  return svg("g", { "aria-hidden": true }, svg("path", { d: "M-4,0H4M0,-4V4", class: "halo" }),
    svg("path", { d: "M-4,0H4M0,-4V4", class: "line" }), label);
}

function bregmaMark() {
  const label = svg("text", { x: 10, y: -8 });
  label.textContent = "bregma";
  const d = "M-14,0H14M0,-14V14M6,0A6,6 0 1 1 -6,0A6,6 0 1 1 6,0";
  return svg("g", { tabindex: 0, role: "button" }, svg("circle", { r: 16, class: "hit" }),
    svg("path", { d, class: "halo" }), svg("path", { d, class: "line" }), label);
}

function handleMark() {
  return svg("g", {}, svg("circle", { class: "hit" }), svg("rect", { x: -5, y: -5, width: 10, height: 10 }));
}
