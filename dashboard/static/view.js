// Pictures of the running session on a canvas, at the size and resolution of the screen, with what is drawn over them.

import { corner, path } from "./shapes.js";

const FONT = "600 13px system-ui";
export const MARKED = "#ffd166";
const EDGE = "#000";

// A canvas that shows the newest picture; one that is not decoded yet when the next comes is let go.
export class View {
  // `paint(context, picture, width, height)` draws the picture; without it, it is drawn as it is.
  constructor(canvas, paint) {
    this.canvas = canvas;
    this.paint = paint ?? ((context, picture, width, height) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, 0, 0, width, height);
    });
    this.busy = false;
    this.clear([256, 256]);
  }

  // `shape`: height and width of the camera's frames, px.
  clear([height, width]) {
    this.shape = [height, width];
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    this.canvas.width = this.canvas.width;
    this.picture?.close();
    this.picture = null;
  }

  // Shows a JPEG. `over(context, scale)` draws over it, in CSS pixels, of which `scale` make one of the frame.
  async show(bytes, over) {
    if (this.busy) return;
    this.busy = true;
    const { shape } = this;
    try {
      const jpeg = new Blob([bytes], { type: "image/jpeg" });
      const picture = await createImageBitmap(jpeg, { colorSpaceConversion: "none" });
      if (shape !== this.shape) return picture.close();
      this.picture?.close();
      this.picture = picture;
      this.over = over;
      this.draw();
    } finally {
      this.busy = false;
    }
    return undefined;
  }

  draw() {
    const { canvas, picture } = this;
    if (!picture || !canvas.clientWidth) return;
    const sides = [canvas.clientWidth, canvas.clientHeight];
    const [width, height] = sides.map((side) => Math.round(side * devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    this.paint(context, picture, width, height);
    context.save();
    context.scale(devicePixelRatio, devicePixelRatio);
    this.over?.(context, canvas.clientWidth / this.shape[1]);
    context.restore();
  }
}

// Draws what `trace` traces (in px of the frame) twice: dark and wider below, so that it is seen on any picture.
export function outline(context, scale, trace, ink = MARKED, width = 2, dash = []) {
  context.save();
  context.scale(scale, scale);
  context.beginPath();
  trace(context);
  context.restore();
  context.save();
  context.lineJoin = "round";
  for (const [extra, colour] of [[2, EDGE], [0, ink]]) {
    context.setLineDash(extra ? [] : dash);
    context.lineWidth = width + extra;
    context.strokeStyle = colour;
    context.stroke();
  }
  context.restore();
}

// Writes at a place of the canvas, within it.
export function label(context, text, x, y, ink = MARKED) {
  const { width: whole, height } = context.canvas;
  context.save();
  context.font = FONT;
  const width = context.measureText(text).width;
  const left = Math.max(2, Math.min(x, whole / devicePixelRatio - width - 2));
  const base = Math.max(13, Math.min(y, height / devicePixelRatio - 4));
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = EDGE;
  context.strokeText(text, left, base);
  context.fillStyle = ink;
  context.fillText(text, left, base);
  context.restore();
}

// Draws ROIs, [[name, shape] ...], with their names.
export function drawRois(context, scale, rois) {
  for (const [name, shape] of rois) {
    outline(context, scale, (over) => path(over, shape));
    const [x, y] = corner(shape);
    label(context, name, x * scale + 5, y * scale + 4);
  }
}
