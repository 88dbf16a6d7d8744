// A strip of the last seconds that scrolls: uPlot, fed with the newest rows; behind the lines what the session did.

import { clock } from "./dom.js";

const SPAN_S = 20;
const ROOM = [0.15, 0.35]; // below and above what is drawn, as a share of it; above it words stand
const GAP_S = 1; // rows further apart than this are not joined
const COLOURS = ["--blue", "--orange"];
const [TRIAL, PAUSED] = [1, 2];

// What marks look like: on the strip, and in its legend.
const MARKS = {
  earned: (context, x, top, bottom) => {
    line(context, x, top, bottom, []);
    context.beginPath();
    context.arc(x, top + 8, 6, 0, 2 * Math.PI);
    context.fill();
  },
  free: (context, x, top, bottom) => {
    line(context, x, top + 15, bottom, [4, 4]);
    context.beginPath();
    for (const [dx, dy] of [[0, 1], [7, 8], [0, 15], [-7, 8]]) context.lineTo(x + dx, top + dy);
    context.closePath();
    context.stroke();
  },
  lick: (context, x, top, bottom) => line(context, x, bottom - 12, bottom, []),
};
const MARK_COLOURS = { earned: "--good", free: "--good", lick: "--ink" };

export class Strip {
  // `names`: columns of the table that are drawn; `options`: `tone` (kHz on a logarithmic scale), `still` (does not
  // scroll but turns a page, for those who bear no motion).
  constructor(root, names, options = {}) {
    this.root = root;
    this.names = names;
    this.tone = options.tone ?? false;
    this.still = options.still ?? false;
    this.range = [0, 1];
    this.clear();
    new ResizeObserver(() => this.resize()).observe(root);
  }

  clear() {
    this.times = [];
    this.values = this.names.map(() => []);
    this.marks = [];
    this.phases = [];
    this.draw();
  }

  // Draws anew, in the colours of now.
  draw() {
    this.plot?.destroy();
    const names = ["--ink", "--quiet", "--line", "--blue", "--orange", "--good", "--danger", "--card"];
    this.colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
    const letter = Number.parseFloat(getComputedStyle(this.root).fontSize);
    this.font = `${letter}px system-ui`;
    const axis = { stroke: this.colours["--ink"], font: this.font };
    axis.grid = axis.ticks = { stroke: this.colours["--line"], width: 1 };
    const lines = () => this.plot.bbox.height / devicePixelRatio / letter;
    this.plot = new uPlot({
      ...this.size(),
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: () => this.range, ...(this.tone ? { distr: 3, log: 2 } : {}) } },
      axes: [
        { ...axis, size: letter * 2.1, incrs: [1, 2, 5, 10, 20], space: letter * 6, values: times },
        { ...axis, size: letter * 3.7, space: letter * 2.5, ...(this.tone ? octaves(() => this.range, lines) : {}) },
      ],
      series: [{}, ...this.names.map((name, place) => ({
        label: name, stroke: this.colours[COLOURS[place]], width: 2, dash: place ? [8, 5] : undefined, spanGaps: false,
        points: { show: false },
      }))],
      hooks: {
        drawClear: [(plot) => this.drawPhases(plot)],
        draw: [(plot) => this.drawMarks(plot), (plot) => this.drawWords(plot)],
      },
    }, [this.times, ...this.values], this.root);
    this.show();
  }

  // Takes rows. `columns`: values of each name; `phase`, `trial`, `marks` ([time, kind]) what happened meanwhile.
  add(times, columns, { phase, trial, marks = [] } = {}) {
    for (let row = 0; row < times.length; row++) {
      const time = times[row];
      if (time - this.times.at(-1) > GAP_S) this.push(time - GAP_S / 2, this.names.map(() => null));
      this.push(time, columns.map((column) => (Number.isFinite(column[row]) ? column[row] : null)));
      if (phase) this.addPhase(time, phase[row], trial[row]);
    }
    this.marks.push(...marks);
    if (times.length) this.show();
  }

  push(time, values) {
    this.times.push(time);
    values.forEach((value, place) => this.values[place].push(value));
  }

  addPhase(time, phase, trial) {
    const last = this.phases.at(-1);
    const joined = last && time - last.to < GAP_S;
    if (joined && last.phase === phase && last.trial === trial) last.to = time;
    else this.phases.push({ phase, trial, from: joined ? last.to : time, to: time });
  }

  // Lets go of what is old, and shows the rest.
  show() {
    const now = this.times.at(-1) ?? 0;
    const half = SPAN_S / 2;
    const end = this.still ? (Math.floor(now / half) + 1) * half : now;
    let old = 0;
    while (this.times[old] < end - SPAN_S - GAP_S) old++;
    if (old) {
      this.times.splice(0, old);
      this.values.forEach((values) => values.splice(0, old));
    }
    this.marks = this.marks.filter(([time]) => time > end - SPAN_S);
    this.phases = this.phases.filter(({ to }) => to > end - SPAN_S);
    if (!this.tone) this.range = around(this.range, this.values);
    this.plot.batch(() => {
      this.plot.setData([this.times, ...this.values], false);
      this.plot.setScale("x", { min: end - SPAN_S, max: end });
    });
  }

  // Calls with each phase, where it begins and how wide it is, in px of the plot, which is all that is drawn in.
  eachPhase(plot, draw) {
    const { ctx: context } = plot;
    const dpr = devicePixelRatio;
    const [left, top, width, height] = ["left", "top", "width", "height"].map((side) => plot.bbox[side] / dpr);
    const place = (time) => Math.max(left, plot.valToPos(time, "x", true) / dpr);
    context.save();
    context.scale(dpr, dpr);
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    for (const each of this.phases) draw(each, place(each.from), place(each.to) - place(each.from), top, height);
    context.restore();
  }

  drawPhases(plot) {
    const { ctx: context } = plot;
    this.eachPhase(plot, ({ phase }, begin, wide, top, height) => {
      if (phase === TRIAL) {
        context.fillStyle = this.colours["--blue"];
        context.globalAlpha = 0.14;
        context.fillRect(begin, top, wide, height);
        context.globalAlpha = 1;
      } else if (phase === PAUSED) hatch(context, this.colours["--danger"], begin, top, wide, height);
    });
  }

  // Above the lines, which would make them unreadable, and below the heads of the marks.
  drawWords(plot) {
    const { ctx: context } = plot;
    this.eachPhase(plot, ({ phase, trial }, begin, wide, top) => {
      Object.assign(context, { font: this.font, textAlign: "left", textBaseline: "top", lineJoin: "round",
        lineWidth: 4, strokeStyle: this.colours["--card"] });
      const words = phase === TRIAL ? [`trial ${trial}`, `${trial}`] : [["rest", "", "paused", "over"][phase]];
      const word = words.find((each) => context.measureText(each).width + 8 <= wide);
      if (!word) return;
      context.strokeText(word, begin + 4, top + 17);
      context.fillStyle = this.colours[phase === TRIAL ? "--ink" : "--quiet"];
      context.fillText(word, begin + 4, top + 17);
    });
  }

  drawMarks(plot) {
    const { ctx: context, bbox } = plot;
    for (const [time, kind] of this.marks) {
      context.save();
      context.translate(plot.valToPos(time, "x", true), bbox.top);
      context.scale(devicePixelRatio, devicePixelRatio);
      paint(context, kind, 0, 0, bbox.height / devicePixelRatio, this.colours[MARK_COLOURS[kind]]);
      context.restore();
    }
  }

  size() {
    return { width: Math.max(160, this.root.clientWidth), height: Math.max(80, this.root.clientHeight) };
  }

  resize() {
    if (this.root.clientWidth) this.plot.setSize(this.size());
  }
}

// Draws a mark for the legend.
export function legendMark(canvas, kind) {
  const dpr = devicePixelRatio;
  [canvas.width, canvas.height] = [16 * dpr, 18 * dpr];
  const context = canvas.getContext("2d");
  context.scale(dpr, dpr);
  paint(context, kind, 8, 1, 18, colour(MARK_COLOURS[kind]));
}

function paint(context, kind, x, top, bottom, ink) {
  context.strokeStyle = context.fillStyle = ink;
  context.lineWidth = 2;
  MARKS[kind](context, x, top, bottom);
}

function line(context, x, from, to, dash) {
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
  context.setLineDash([]);
}

function hatch(context, ink, left, top, width, height) {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.strokeStyle = ink;
  context.globalAlpha = 0.5;
  context.beginPath();
  for (let x = left - height; x < left + width; x += 9) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

// Ticks of time; there is none before the session.
const times = (_, ticks) => ticks.map((tick) => (tick < 0 ? "" : clock(tick)));

// Ticks at 1, 2, 4 ... kHz, or at every other of them where `lines` of text is all there is room for.
function octaves(range, lines) {
  return {
    splits: () => {
      const [low, high] = range();
      const step = Math.log2(high / low) * 1.4 > lines() ? 4 : 2;
      const ticks = [];
      for (let hz = 125; hz <= high; hz *= hz < 1000 ? 2 : step) if (hz >= low) ticks.push(hz);
      return ticks;
    },
    filter: (_, ticks) => ticks,
    values: (_, ticks) => ticks.map((hz) => `${hz / 1000}`),
  };
}

// Returns a range that holds the values; the one there was, as long as it fits: a scale that breathes cannot be read.
function around([low, high], columns) {
  let [least, most] = [Infinity, -Infinity];
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  if (least > most) return [low, high];
  const size = most - least;
  if (least >= low && most <= high && size > 0.5 * (high - low)) return [low, high];
  const [below, above] = ROOM.map((share) => Math.max(size * share, 1e-6));
  return [least - below, most + above];
}

// The colour of a custom property, as a canvas takes it: light-dark() is worked out by an element that wears it.
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
