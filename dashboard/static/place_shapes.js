// Shapes in px and in mm from bregma, without a page: read, written, moved, resized, mirrored, turned.
//
// As in roi_manager.py, the pixel in row i, column j is the square from (j, i) to (j + 1, i + 1); rectangles are made
// of whole pixels. A view is {ppmm, bregma: [row, col]}.

import { readShape } from "./shapes.js";

export const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;
const SMALLEST = 1;

const tenth = (value) => Math.round(value * 10) / 10;
const hundredth = (value) => Math.round(value * 100) / 100;

// Returns the shape, or null where a text is none.
export function shapeOf(text) {
  let shape;
  try {
    shape = readShape((text ?? "").toLowerCase());
  } catch {
    return null;
  }
  const numbers = shape.points ? shape.points.flat() : Object.values(shape).filter((value) => value !== shape.kind);
  const enough = shape.points ? shape.points.length >= 3 && shape.points.every(({ length }) => length === 2) : true;
  return enough && numbers.every(Number.isFinite) ? shape : null;
}

export function textOf(shape) {
  if (shape.kind === "rect") return [shape.x, shape.y, shape.w, shape.h].map(Math.round).join(",");
  if (shape.kind === "circle") return `circle ${[shape.x, shape.y, shape.r].map(tenth).join(",")}`;
  return `polygon ${shape.points.map((point) => point.map(tenth).join(",")).join(" ")}`;
}

export function centreOf(shape) {
  if (shape.kind === "rect") return [shape.x + shape.w / 2, shape.y + shape.h / 2];
  if (shape.kind === "circle") return [shape.x, shape.y];
  return [0, 1].map((axis) => mean(shape.points.map((point) => point[axis])));
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Returns [x0, y0, x1, y1].
export function boxOf(shape) {
  if (shape.kind === "rect") return [shape.x, shape.y, shape.x + shape.w, shape.y + shape.h];
  if (shape.kind === "circle") return [shape.x - shape.r, shape.y - shape.r, shape.x + shape.r, shape.y + shape.r];
  const [xs, ys] = [0, 1].map((axis) => shape.points.map((point) => point[axis]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export function moved(shape, dx, dy) {
  if (shape.points) return { ...shape, points: shape.points.map(([x, y]) => [x + dx, y + dy]) };
  const [x, y] = [shape.x + dx, shape.y + dy];
  return shape.kind === "rect" ? { ...shape, x: Math.round(x), y: Math.round(y) } : { ...shape, x, y };
}

// Returns a move that is cut so that the shape's box stays in the picture, if it is no larger than that.
export function moveWithin(shape, dx, dy, [width, height]) {
  const [x0, y0, x1, y1] = boxOf(shape);
  const cut = (step, low, high, size) => (high - low > size ? step : Math.min(Math.max(step, -low), size - high));
  return moved(shape, cut(dx, x0, x1, width), cut(dy, y0, y1, height));
}

// Returns the shape with one side or corner of its box moved: `sides` holds -1, 0 or 1 for x and y.
export function resized(shape, [sx, sy], dx, dy) {
  if (shape.kind === "rect") {
    const [x, w] = side(shape.x, shape.w, sx, Math.round(dx));
    const [y, h] = side(shape.y, shape.h, sy, Math.round(dy));
    return { ...shape, x, y, w, h };
  }
  if (shape.kind === "circle") {
    const grown = sx && sy ? (sx * dx + sy * dy) / 2 : sx * dx + sy * dy;
    return { ...shape, r: Math.max(SMALLEST, shape.r + grown) };
  }
  const [x0, y0, x1, y1] = boxOf(shape);
  const [nx, nw] = side(x0, x1 - x0, sx, dx);
  const [ny, nh] = side(y0, y1 - y0, sy, dy);
  const place = (value, from, length, to, now) => to + ((value - from) * now) / (length || 1);
  const point = ([x, y]) => [place(x, x0, x1 - x0, nx, nw), place(y, y0, y1 - y0, ny, nh)];
  return { ...shape, points: shape.points.map(point) };
}

function side(start, length, which, step) {
  if (!which) return [start, length];
  const now = Math.max(SMALLEST, length + which * step);
  return [which > 0 ? start : start + length - now, now];
}

// Returns the shape on the other side of the midline, which runs through bregma.
export function mirrored(shape, column) {
  if (shape.kind === "rect") return { ...shape, x: Math.round(2 * column - shape.x - shape.w) };
  if (shape.kind === "circle") return { ...shape, x: 2 * column - shape.x };
  return { ...shape, points: shape.points.map(([x, y]) => [2 * column - x, y]).reverse() };
}

// Returns a point turned about another (degrees, clockwise as seen), then shifted.
export function pointTurned([x, y], { shift: [dx, dy], rotation, centre: [cx, cy] }) {
  const angle = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [cx + cos * (x - cx) - sin * (y - cy) + dx, cy + sin * (x - cx) + cos * (y - cy) + dy];
}

// Returns the shape turned and shifted; the sides of a rectangle stay along rows and columns.
export function turned(shape, by) {
  if (shape.points) return { ...shape, points: shape.points.map((point) => pointTurned(point, by)) };
  const from = centreOf(shape);
  const to = pointTurned(from, by);
  return moved(shape, to[0] - from[0], to[1] - from[1]);
}

export const toMm = ([x, y], { ppmm, bregma }) => [(x - bregma[1]) / ppmm, (bregma[0] - y) / ppmm];
export const toPx = ([ml, ap], { ppmm, bregma }) => [bregma[1] + ml * ppmm, bregma[0] - ap * ppmm];

// Returns what of a shape is shown and edited as numbers: rows of {id, label, unit, value, step, set(value) -> shape}.
export function numbersOf(shape, view) {
  const rows = [];
  const add = (id, label, unit, value, step, set, least) => {
    rows.push({ id, label, unit, value: unit === "mm" ? hundredth(value) : tenth(value), step, set, least });
  };
  if (shape.kind === "rect") {
    for (const [id, label] of [["x", "Left"], ["y", "Top"], ["w", "Width"], ["h", "Height"]]) {
      const least = "wh".includes(id) ? 1 : null;
      add(id, label, "px", shape[id], 1, (value) => ({ ...shape, [id]: Math.round(value) }), least);
    }
  }
  if (shape.kind === "circle") {
    for (const [id, label] of [["x", "Centre x"], ["y", "Centre y"], ["r", "Radius"]]) {
      add(id, label, "px", shape[id], 1, (value) => ({ ...shape, [id]: value }), id === "r" ? 0.1 : null);
    }
    add("rmm", "Radius", "mm", shape.r / view.ppmm, 0.05, (value) => ({ ...shape, r: value * view.ppmm }), 0.01);
  }
  if (view.bregma) {
    const centre = centreOf(shape);
    const [ml, ap] = toMm(centre, view);
    const to = (point) => moved(shape, point[0] - centre[0], point[1] - centre[1]);
    add("ml", "Centre ML", "mm", ml, 0.05, (value) => to(toPx([value, ap], view)));
    add("ap", "Centre AP", "mm", ap, 0.05, (value) => to(toPx([ml, value], view)));
  }
  if (shape.kind === "rect") {
    for (const [id, label] of [["w", "Width"], ["h", "Height"]]) {
      add(`${id}mm`, label, "mm", shape[id] / view.ppmm, 0.05,
        (value) => ({ ...shape, [id]: Math.max(1, Math.round(value * view.ppmm)) }), 0.01);
    }
  }
  return rows;
}

export const withPoint = (shape, at, point) => (
  { ...shape, points: shape.points.map((each, place) => (place === at ? point : each)) });

// Returns the polygon with a point more, in the middle of the side behind point `at` unless it is given.
export function withMorePoints(shape, at, point = null) {
  const [a, b] = [shape.points[at], shape.points[(at + 1) % shape.points.length]];
  const more = point ?? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return { ...shape, points: [...shape.points.slice(0, at + 1), more, ...shape.points.slice(at + 1)] };
}

// Returns the polygon without a point, or as it is where it has no more than three.
export const withoutPoint = (shape, at) => (
  shape.points.length > 3 ? { ...shape, points: shape.points.filter((_, place) => place !== at) } : shape);
