// Small helps for drawing in SVG: elements, lists of them that are kept while they change, drags of a pointer.

const SVG = "http://www.w3.org/2000/svg";
const STILL_PX = 3;

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  put(element, attributes);
  element.append(...children);
  return element;
}

export function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

// Makes a layer or list hold one element per entry of `list`, [key, value], in this order; those that are there stay,
// so that the focus does, and a click whose press changed something else.
export function keep(layer, list, make, update) {
  const there = new Map([...layer.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(list.map(([key]) => key));
  for (const [key, element] of there) if (!wanted.has(key)) element.remove();
  list.forEach(([key, value], place) => {
    const element = there.get(key) ?? make(key, value);
    element.dataset.key = key;
    if (layer.children[place] !== element) layer.insertBefore(element, layer.children[place] ?? null);
    update(element, value);
  });
}

// Returns an attribute `d` of a shape.
export function outline(shape) {
  if (shape.kind === "rect") return `M${shape.x},${shape.y}h${shape.w}v${shape.h}h${-shape.w}z`;
  if (shape.kind === "circle") {
    const { x, y, r } = shape;
    return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
  }
  return `M${shape.points.map((point) => point.join(",")).join("L")}z`;
}

// Follows a pointer from its press on: `move(x, y, dx, dy)` in px of the picture once it went some way, `end(went)`.
export function drag(stage, event, move, end = () => {}) {
  const { root } = stage;
  const from = stage.point(event);
  const [fromX, fromY] = [event.clientX, event.clientY];
  let went = false;
  root.setPointerCapture(event.pointerId);
  const onMove = (next) => {
    if (next.pointerId !== event.pointerId) return;
    went ||= Math.hypot(next.clientX - fromX, next.clientY - fromY) >= STILL_PX;
    if (!went) return;
    const [x, y] = stage.point(next);
    move(x, y, x - from[0], y - from[1]);
  };
  const onEnd = (last) => {
    if (last.pointerId !== event.pointerId) return;
    root.removeEventListener("pointermove", onMove);
    root.removeEventListener("pointerup", onEnd);
    root.removeEventListener("pointercancel", onEnd);
    end(went, from);
  };
  root.addEventListener("pointermove", onMove);
  root.addEventListener("pointerup", onEnd);
  root.addEventListener("pointercancel", onEnd);
}
