// Body parts over the picture of a movement session: where each is, and was in the last second.

import { label, MARKED, outline } from "./view.js";

// Of Okabe and Ito; each part has a shape of its own as well.
const INKS = ["#e69f00", "#56b4e9", "#f0e442", "#00c48c", "#ff8ac4", "#ffffff"];
const SHAPES = [
  (context, x, y, size) => context.arc(x, y, size, 0, 2 * Math.PI),
  (context, x, y, size) => context.rect(x - size, y - size, 2 * size, 2 * size),
  (context, x, y, size) => corners(context, x, y, [[0, -1.3], [1.2, 0.9], [-1.2, 0.9]], size),
  (context, x, y, size) => corners(context, x, y, [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]], size),
  (context, x, y, size) => corners(context, x, y, [[0, 1.3], [1.2, -0.9], [-1.2, -0.9]], size),
];
const TRAIL_S = 1;
const LIKELIHOOD = "_likelihood";

export class Pose {
  constructor({ names, settings }) {
    this.least = Number(settings.min_likelihood);
    this.parts = names.filter((name) => name.endsWith(LIKELIHOOD)).map((name, place) => ({
      name: name.slice(0, -LIKELIHOOD.length),
      ink: INKS[place % INKS.length],
      shape: SHAPES[place % SHAPES.length],
      trail: [],
    }));
    for (const part of this.parts) part.controls = part.name === settings.control_point;
    this.circles = circles(settings);
  }

  // Takes rows; their columns are named as the signal's parts.
  add(table) {
    const times = table.t_s;
    const now = times[times.length - 1];
    for (const part of this.parts) {
      const [x, y, likelihood] = ["_x", "_y", LIKELIHOOD].map((axis) => table[part.name + axis]);
      for (let row = 0; row < times.length; row++) part.trail.push([times[row], x[row], y[row], likelihood[row]]);
      const first = part.trail.findIndex(([time]) => time > now - TRAIL_S);
      part.trail.splice(0, first < 0 ? part.trail.length : first);
    }
  }

  // Draws over a picture; see View.
  draw(context, scale) {
    for (const { text, x, y, radius, dash } of this.circles) {
      outline(context, scale, (over) => over.arc(x, y, radius, 0, 2 * Math.PI), MARKED, 1.5, dash);
      label(context, text, (x + radius * 0.7) * scale + 4, (y + radius * 0.7) * scale + 10);
    }
    for (const part of this.parts) this.drawPart(context, scale, part);
  }

  drawPart(context, scale, { name, ink, shape, trail, controls }) {
    const good = trail.filter(([, x, , likelihood]) => Number.isFinite(x) && likelihood >= this.least);
    if (good.length > 1) {
      const trace = (over) => good.forEach(([, x, y]) => over.lineTo(x + 0.5, y + 0.5));
      outline(context, scale, trace, ink, controls ? 2 : 1);
    }
    const [, x, y, likelihood] = trail.at(-1) ?? [0, NaN];
    if (!Number.isFinite(x)) return;
    const trusted = likelihood >= this.least;
    const [left, top] = [(x + 0.5) * scale, (y + 0.5) * scale];
    context.save();
    // One that is not trusted is dim and hollow, and tells how likely it is.
    context.globalAlpha = trusted ? 1 : 0.5;
    outline(context, 1, (over) => shape(over, left, top, 5), ink, 2);
    if (trusted) {
      context.fillStyle = ink;
      context.fill();
    }
    if (controls) outline(context, 1, (over) => over.arc(left, top, 12, 0, 2 * Math.PI), ink, 2);
    label(context, trusted ? name : `${name} ${likelihood.toFixed(2)}?`, left + (controls ? 16 : 10), top - 6, ink);
    context.restore();
  }
}

// The circles that the control point must be in, as far as this session has them.
function circles(settings) {
  const ppmm = Number(settings.ppmm);
  const circle = (name, text, dash) => {
    const [x, y] = pair(settings[`${name}_center`]);
    return { text, x: x + 0.5, y: y + 0.5, radius: Number(settings[`${name}_radius_mm`]) * ppmm, dash };
  };
  return [
    ...(settings.trial_start === "start_roi" ? [circle("start", "start", [3, 4])] : []),
    ...(settings.reward_by === "target" ? [circle("target", "target", [])] : []),
  ];
}

const pair = (value) => (Array.isArray(value) ? value : String(value).split(",")).map(Number);

function corners(context, x, y, points, size) {
  points.forEach(([dx, dy], place) => context[place ? "lineTo" : "moveTo"](x + dx * size, y + dy * size));
  context.closePath();
}
