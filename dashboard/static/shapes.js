// ROIs as config.ini writes them ("x,y,w,h", "circle x,y,r", "polygon x,y x,y ..."), drawn over a picture.

export function readShape(text) {
  const fields = text.trim().replace(/\s*,\s*/g, ",").split(/\s+/);
  const numbers = (field) => field.split(",").map(Number);
  if (fields[0] === "circle") {
    const [x, y, r] = numbers(fields[1]);
    return { kind: "circle", x, y, r };
  }
  if (fields[0] === "polygon") return { kind: "polygon", points: fields.slice(1).map(numbers) };
  const [x, y, w, h] = numbers(fields[0]);
  return { kind: "rect", x, y, w, h };
}

export function path(context, shape) {
  context.beginPath();
  if (shape.kind === "rect") context.rect(shape.x, shape.y, shape.w, shape.h);
  else if (shape.kind === "circle") context.arc(shape.x, shape.y, shape.r, 0, 2 * Math.PI);
  else {
    shape.points.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
  }
}

export function corner(shape) {
  if (shape.kind === "rect") return [shape.x + shape.w, shape.y];
  if (shape.kind === "circle") return [shape.x + shape.r * 0.7, shape.y - shape.r * 0.7];
  return shape.points.reduce((best, point) => (point[1] < best[1] ? point : best));
}
