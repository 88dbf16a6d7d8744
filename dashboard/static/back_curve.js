// The learning curve of a mouse: one small picture per quantity, a point per day, all with the same days and cursor.

import { percent, threshold, water } from "./back_text.js";
import { element } from "./dom.js";
import { colour } from "./plot.js";

const DAY_S = 86400;
const TICKS_S = [1, 2, 7, 14, 30, 91, 182, 365, 730].map((days) => days * DAY_S);
const HEIGHT = 130;
const MANY_DAYS = 120;
const UNITS = ["dF/F", "mm/s", "mm"];

export class Curve {
  constructor(root) {
    this.root = root;
    this.found = null;
    this.plots = [];
    this.title = element("h2");
    this.panels = element("div", { className: "back-panels" });
    this.readout = element("p", { className: "back-readout back-quiet" });
    this.days = element("details");
    root.append(this.title, this.panels, this.readout, this.days);
    new ResizeObserver(() => this.resize()).observe(root);
  }

  // Shows a mouse's days; null: nothing.
  show(found) {
    this.found = found?.days.length ? found : null;
    this.root.hidden = !this.found;
    if (!this.found) return;
    this.title.textContent = `Learning curve of ${found.mouse}`;
    this.table();
    this.draw();
  }

  // Draws anew, in the colours of now.
  draw() {
    this.plots.forEach((plot) => plot.destroy());
    this.plots = [];
    this.panels.replaceChildren();
    if (!this.found || !this.root.clientWidth) return;
    const { times, at } = calendar(this.found.days);
    const sync = uPlot.sync("learning curve");
    for (const panel of panelsOf(this.found.days)) {
      const values = times.map((time) => (at.has(time) ? panel.value(at.get(time)) : null));
      const box = element("div", { role: "img", aria: { label: spoken(panel, times, values) } });
      this.panels.append(box);
      this.plots.push(this.plot(box, panel, times, values, sync));
    }
    this.resize();
    this.read(null);
  }

  plot(box, panel, times, values, sync) {
    const ink = colour("--ink");
    const grid = { stroke: colour("--line"), width: 1 };
    const font = "12px system-ui";
    const stroke = colour(panel.colour);
    const point = { show: true, size: times.length > MANY_DAYS ? 4 : 7, fill: stroke };
    return new uPlot({
      title: panel.title,
      width: 260,
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: sync.key }, y: false, points: { size: 11 }, drag: { x: false, y: false } },
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
      scales: {
        // uPlot makes years of a single day.
        x: { time: true, range: () => [times[0] - DAY_S / 2, times.at(-1) + DAY_S / 2] },
        y: { range: (_, low, high) => panel.range?.(low, high) ?? padded(low, high, panel.zero) },
      },
      axes: [
        { stroke: ink, grid: { show: false }, ticks: grid, font, size: 30, space: 60, incrs: TICKS_S, values: days },
        { stroke: ink, grid, ticks: grid, font, size: 44, space: 30 },
      ],
      // Days in succession are joined; what lies between others is not known, and dotted.
      series: [
        {},
        { stroke, width: 1, dash: [2, 4], spanGaps: true, points: { show: false } },
        { stroke, width: 2, spanGaps: false, points: point },
      ],
      hooks: { setCursor: [(plot) => this.read(plot.cursor.idx ?? null)] },
    }, [times, values, values], box);
  }

  // Says what the day under the cursor came to; without one, the newest.
  read(at) {
    // A picture that is taken away has no cursor any more, and says so.
    if (!this.found) return;
    const { times, at: days } = calendar(this.found.days);
    const newest = this.found.days.filter(({ sessions }) => sessions).at(-1) ?? this.found.days.at(-1);
    const day = at === null ? newest : days.get(times[at]);
    if (day) this.readout.textContent = [day.date, ...cells(day).filter(Boolean)].join(", ");
  }

  table() {
    const names = ["Day", "Success", "Trials", "Threshold", "Water", "Weight", "Rigs"];
    const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
    const rows = [...this.found.days].reverse().map((day) => {
      const success = day.success === null ? "" : `${Math.round(100 * day.success)} %`;
      const texts = [day.date, success, day.trials ?? "", threshold(day.threshold, day.threshold_unit), water(day),
        grams(day), day.rigs.join(", ")];
      return element("tr", {}, ...texts.map((text) => element("td", {}, text)));
    });
    const notes = this.found.notes.map((note) => element("p", {}, note));
    const table = element("table", {}, head, ...rows);
    const scroll = element("div", { className: "back-days", tabIndex: 0 }, table, ...notes);
    this.days.replaceChildren(element("summary", {}, "Days as a table"), scroll);
  }

  resize() {
    for (const plot of this.plots) {
      const width = Math.max(140, plot.root.parentElement.clientWidth);
      if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }
}

// Returns every day from the first to the last, s since 1970 (as if in UTC), and the days that the mouse had.
function calendar(days) {
  const at = new Map(days.map((day) => [Date.parse(`${day.date}T00:00Z`) / 1000, day]));
  const known = [...at.keys()].filter(Number.isFinite);
  const times = [];
  for (let time = Math.min(...known); time <= Math.max(...known); time += DAY_S) times.push(time);
  return { times, at };
}

function panelsOf(days) {
  const some = (value) => days.some((day) => value(day) !== null);
  const volumes = days.every((day) => !day.water_s || day.water_ul !== null);
  const success = (day) => (day.success === null ? null : 100 * day.success);
  return [
    { title: "Success, %", colour: "--good", value: success, range: () => [-4, 104] },
    { title: "Trials", colour: "--blue", value: (day) => day.trials, zero: true },
    ...UNITS.map((unit) => ({
      title: `Threshold, ${unit === "dF/F" ? "% dF/F" : unit}`,
      colour: "--orange",
      zero: true,
      value: (day) => (day.threshold_unit !== unit || day.threshold === null
        ? null : (unit === "dF/F" ? 100 : 1) * day.threshold),
    })),
    { title: "Water, µl", colour: "--blue", zero: true, value: (day) => (volumes ? day.water_ul : null) },
    { title: "Water, s open", colour: "--blue", zero: true, value: (day) => (volumes ? null : day.water_s) },
    { title: "Weight, g", colour: "--ink", value: (day) => day.weight_g },
  ].filter(({ value }) => some(value));
}

function cells(day) {
  return [
    day.success === null ? "" : `${percent(day.success, 1)} of ${day.trials} trials`,
    day.threshold === null ? "" : `threshold ${threshold(day.threshold, day.threshold_unit)}`,
    water(day) && `water ${water(day)}`,
    grams(day),
    day.rigs.join(", "),
  ];
}

function grams({ weight_g: weight }) {
  return weight === null ? "" : `${weight.toFixed(1)} g`;
}

function padded(low, high, zero) {
  if (low === null) return [0, 1];
  const bottom = zero ? Math.min(0, low) : low;
  const room = Math.max((high - bottom) * 0.08, Math.abs(high) * 0.01, 1e-6);
  return [zero && low >= 0 ? 0 : bottom - room, high + room];
}

// Labels: days, and where they stand far apart months with their year.
function days(_, ticks) {
  const part = ticks.length > 1 && ticks[1] - ticks[0] > 60 * DAY_S ? [0, 7] : [5, 10];
  return ticks.map((tick) => new Date(tick * 1000).toISOString().slice(...part));
}

// What a picture shows, for whom it is read out.
function spoken({ title }, times, values) {
  const known = values.flatMap((value, at) => (value === null ? [] : [[times[at], value]]));
  const day = (time) => new Date(time * 1000).toISOString().slice(0, 10);
  const told = ([time, value]) => `${Number(value.toPrecision(3))} on ${day(time)}`;
  return `${title}: ${known.length} days, from ${told(known[0])} to ${told(known.at(-1))}`;
}
