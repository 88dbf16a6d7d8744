// A strip of the last seconds that scrolls: uPlot, fed with the newest rows.

const SPAN_S = 20;
const COLOURS = ["--blue", "--orange"];

export class Strip {
  constructor(root, names, title) {
    this.root = root;
    this.names = names;
    this.limits = null;
    this.clear(title);
    new ResizeObserver(() => this.resize()).observe(root);
  }

  clear(title) {
    this.times = [];
    this.values = this.names.map(() => []);
    this.drops = [];
    this.draw(title);
  }

  // Draws anew, in the colours of now.
  draw(title = this.title) {
    this.plot?.destroy();
    this.title = title;
    const ink = colour("--ink");
    const grid = { stroke: colour("--line"), width: 1 };
    const font = "12px system-ui";
    this.plot = new uPlot({
      title,
      width: Math.max(200, this.root.clientWidth),
      height: Math.max(90, this.root.clientHeight - 26),
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: (_, low, high) => this.limits ?? padded(low, high) } },
      axes: [
        { stroke: ink, grid, ticks: grid, font, values: (_, ticks) => ticks.map((tick) => `${tick} s`) },
        { stroke: ink, grid, ticks: grid, font, size: 56 },
      ],
      series: [{}, ...this.names.map((name, place) => ({
        label: name, stroke: colour(COLOURS[place]), width: 2, dash: place ? [8, 5] : undefined, spanGaps: false,
      }))],
      hooks: { draw: [(plot) => this.drawDrops(plot)] },
    }, [this.times, ...this.values], this.root);
  }

  range(low, high) {
    this.limits = [low, high];
  }

  // Takes columns of the newest rows; `water` marks rows on which a drop was given.
  add(times, columns, water) {
    for (let row = 0; row < times.length; row++) {
      this.times.push(times[row]);
      columns.forEach((column, place) => this.values[place].push(Number.isFinite(column[row]) ? column[row] : null));
      if (water?.[row]) this.drops.push(times[row]);
    }
    if (!this.times.length) return;
    const now = this.times[this.times.length - 1];
    let old = 0;
    while (this.times[old] < now - SPAN_S) old++;
    if (old) {
      this.times.splice(0, old);
      this.values.forEach((values) => values.splice(0, old));
    }
    while (this.drops[0] < now - SPAN_S) this.drops.shift();
    this.plot.setData([this.times, ...this.values], false);
    this.plot.setScale("x", { min: now - SPAN_S, max: now });
  }

  drawDrops(plot) {
    const context = plot.ctx;
    context.save();
    context.strokeStyle = context.fillStyle = colour("--good");
    context.lineWidth = 3;
    for (const time of this.drops) {
      const x = plot.valToPos(time, "x", true);
      context.beginPath();
      context.moveTo(x, plot.bbox.top);
      context.lineTo(x, plot.bbox.top + plot.bbox.height);
      context.stroke();
      context.beginPath();
      context.arc(x, plot.bbox.top + 8, 6, 0, 2 * Math.PI);
      context.fill();
    }
    context.restore();
  }

  resize() {
    this.plot.setSize({ width: Math.max(200, this.root.clientWidth), height: Math.max(90, this.root.clientHeight - 26) });
  }
}

function padded(low, high) {
  if (low === null || high === null) return [0, 1];
  const room = Math.max((high - low) * 0.1, 1e-6);
  return [low - room, high + room];
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
