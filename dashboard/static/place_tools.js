// What the pointer does on the picture: choose, draw a shape, measure two points, or shift the first day's picture.

import { drag, keep, outline, put, svg } from "./place_svg.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CLOSE_PX = 12;
const HINTS = {
  select: "Drag shapes and their handles. By keyboard: Tab to a shape; arrow keys move it by 1 px, with Shift by 10, "
    + "with Alt they resize it.",
  rect: "Drag a rectangle on the picture; press Rectangle again for one in the middle. Esc: none.",
  circle: "Drag a circle from its centre; press Circle again for one in the middle. Esc: none.",
  polygon: "Click the points one by one; the first one, a double click or Enter closes it. Press Polygon again for one "
    + "in the middle. Esc: none.",
  scale: "Click two points whose distance you know, such as marks on a ruler; press Two points again for two in the "
    + "middle.",
  first: "Drag the first day's picture onto today's; arrow keys shift it, too (Shift: by 10 px, Alt: turn it).",
};

export class Tools {
  // `acts`: add(shape), nothing(), grasp() -> the shift now, shift(dx, dy, from), turn(degrees), scale(points), usual()
  // -> the usual size of an ROI, px.
  constructor(root, stage, acts) {
    this.stage = stage;
    this.acts = acts;
    this.hint = root.querySelector("#place-hint");
    this.buttons = [...root.querySelectorAll("button[data-tool]")];
    this.points = [];
    this.ends = null;
    for (const button of this.buttons) button.onclick = () => this.choose(button.dataset.tool);
    stage.root.addEventListener("pointermove", (event) => this.hover(event));
    stage.root.addEventListener("dblclick", () => this.close());
    // Of the whole page: what was pressed on the picture has no focus.
    document.addEventListener("keydown", (event) => {
      const elsewhere = event.target !== document.body && !root.contains(event.target);
      if (!root.hidden && !elsewhere && !document.querySelector("dialog[open]")) this.key(event);
    });
    this.take("select");
  }

  get tool() {
    return this.stage.root.dataset.tool;
  }

  choose(tool) {
    if (tool === this.tool && tool !== "select") this.inTheMiddle();
    else this.take(tool);
  }

  take(tool) {
    this.stage.root.dataset.tool = tool;
    this.points = [];
    if (tool !== "scale") this.ends = null;
    this.hint.textContent = HINTS[tool];
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.tool === tool);
    this.draw();
    this.acts.scale(this.ends);
  }

  inTheMiddle() {
    const [x, y] = this.stage.size.map((side) => side / 2);
    if (this.tool === "scale") this.measure([[x / 2, y], [1.5 * x, y]]);
    else if (this.tool !== "first") this.add(this.usual([x, y]));
  }

  // Returns a shape of the usual size at a point.
  usual([x, y]) {
    const side = this.acts.usual();
    const half = side / 2;
    if (this.tool === "circle") return { kind: "circle", x, y, r: half };
    if (this.tool === "rect") {
      return { kind: "rect", x: Math.round(x - half), y: Math.round(y - half), w: side, h: side };
    }
    return { kind: "polygon", points: [[x, y - half], [x + half, y + half], [x - half, y + half]] };
  }

  add(shape) {
    this.take("select");
    this.acts.add(shape);
  }

  press(event) {
    if (this.tool === "select") {
      if (event.target === this.stage.root) this.acts.nothing();
      return;
    }
    event.preventDefault();
    const start = this.stage.point(event);
    if (this.tool === "polygon") this.corner(start);
    else if (this.tool === "scale") this.end(event, start);
    else if (this.tool === "first") {
      const from = this.acts.grasp();
      drag(this.stage, event, (x, y, dx, dy) => this.acts.shift(dx, dy, from));
    } else this.box(event, start);
  }

  // Draws a rectangle or circle by a drag; a click puts one of the usual size.
  box(event, start) {
    const { tool } = this;
    let shape = null;
    const move = (x, y) => {
      shape = tool === "rect" ? between(start, [x, y]) : circle(start, [x, y]);
      this.preview(outline(shape));
    };
    drag(this.stage, event, move, (went) => this.add(went && shape ? shape : this.usual(start)));
  }

  corner(point) {
    if (this.points.length > 2 && this.stage.apart(point, this.points[0]) < CLOSE_PX) this.close();
    // The second press of a double click adds nothing.
    else if (!this.points.length || this.stage.apart(point, this.points.at(-1)) > 2) {
      this.points.push(point);
      this.draw();
    }
  }

  close() {
    if (this.tool === "polygon" && this.points.length > 2) this.add({ kind: "polygon", points: this.points });
  }

  end(event, point) {
    const held = event.target.closest(".end");
    const which = held ? Number(held.dataset.key) : (this.ends?.length ?? 0) % 2;
    if (held) held.focus({ preventScroll: true });
    else this.measure(which ? [this.ends[0], point] : [point]);
    drag(this.stage, event, (x, y) => this.measure(this.ends.map((each, place) => (place === which ? [x, y] : each))));
  }

  measure(ends) {
    this.ends = ends;
    this.draw();
    this.acts.scale(ends);
  }

  hover(event) {
    if (this.tool !== "polygon" || !this.points.length) return;
    this.preview(`M${[...this.points, this.stage.point(event)].map((point) => point.join(",")).join("L")}`);
  }

  key(event) {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey) return;
    const step = STEPS[event.key];
    const [dx, dy] = (step ?? [0, 0]).map((each) => each * (event.shiftKey ? 10 : 1));
    const end = event.target.closest?.(".end");
    if (event.key === "Escape" && this.tool !== "select") this.take("select");
    else if (event.key === "Escape" && event.target.closest("svg")) this.acts.nothing();
    else if (event.key === "Enter" && this.tool === "polygon" && this.points.length > 2) this.close();
    else if (event.key === "Backspace" && this.points.length) {
      this.points.pop();
      this.draw();
    } else if (step && end) {
      const which = Number(end.dataset.key);
      this.measure(this.ends.map((each, place) => (place === which ? [each[0] + dx, each[1] + dy] : each)));
    } else if (step && this.tool === "first" && event.target.closest("svg, [data-tool=first]")) {
      if (event.altKey) this.acts.turn((dx - dy) / 10);
      else this.acts.shift(dx, dy);
    } else return;
    event.preventDefault();
  }

  preview(d) {
    keep(this.stage.layers.tool, [["preview", d]], twoLines, (mark, path) => {
      for (const line of mark.children) put(line, { d: path });
    });
  }

  // Draws what is half done.
  draw() {
    const ends = this.ends ?? [];
    const list = ends.map((point, place) => [String(place), point]);
    if (ends.length === 2) list.unshift(["line", ends]);
    if (this.points.length) list.push(["line", this.points]);
    const make = (key) => (key === "line" ? twoLines() : endMark(key));
    keep(this.stage.layers.tool, list, make, (mark, value) => {
      if (mark.dataset.key !== "line") {
        put(mark, { transform: this.stage.at(value) });
        return;
      }
      for (const line of mark.children) put(line, { d: `M${value.map((point) => point.join(",")).join("L")}` });
    });
  }
}

function between([ax, ay], [bx, by]) {
  const [x, y] = [Math.round(Math.min(ax, bx)), Math.round(Math.min(ay, by))];
  const [w, h] = [Math.round(Math.abs(bx - ax)), Math.round(Math.abs(by - ay))];
  return { kind: "rect", x, y, w: Math.max(1, w), h: Math.max(1, h) };
}

const circle = ([x, y], [bx, by]) => ({ kind: "circle", x, y, r: Math.max(1, Math.hypot(bx - x, by - y)) });

const twoLines = () => svg("g", { class: "drawn" }, svg("path", { class: "halo" }), svg("path", { class: "line" }));

function endMark(which) {
  const d = "M-9,0H9M0,-9V9";
  const label = `End ${Number(which) + 1}; arrow keys move it`;
  return svg("g", { class: "end", tabindex: 0, role: "button", "aria-label": label },
    svg("circle", { r: 14, class: "hit" }), svg("path", { d, class: "halo" }), svg("path", { d, class: "line" }));
}
