// How a session or preview is doing, as a table: frames, what was lost and why, latency, and what this browser gets.

import { element } from "./dom.js";

const RATE_MS = 3000;

export class Health {
  // `exposures`: the table of how each ROI is exposed, in a preview.
  constructor(table, exposures) {
    [this.body, this.exposures] = [table, exposures].map((each) => each.createTBody());
    this.clear({ live: false });
  }

  clear(about) {
    this.about = about;
    this.came = [];
    this.lost = 0;
    this.body.replaceChildren();
    this.exposures.replaceChildren();
  }

  // Takes an update at a time, ms.
  update({ status, latency, rows }, now) {
    this.came.push(now);
    while (this.came[0] < now - RATE_MS) this.came.shift();
    this.lost += rows.lost;
    if (status.frames === undefined) return;
    fill(this.body, [...frames(status), ...times(latency, this.about.live), ["updates here", this.rate()]]);
    if (status.exposures) fill(this.exposures, status.exposures.map(exposure));
  }

  // Updates a second that this browser gets.
  rate() {
    const { came, lost } = this;
    const span = came.at(-1) - came[0];
    const rate = span ? ((came.length - 1) * 1000 / span).toFixed(1) : "–";
    return `${rate} a second${lost ? `, ${lost} rows missed` : ""}`;
  }
}

// Fills a table with lines: name, text, whether it is bad.
function fill(body, lines) {
  while (body.rows.length > lines.length) body.deleteRow(-1);
  lines.forEach(([name, text, bad], place) => {
    const row = body.rows[place] ?? body.appendChild(element("tr", {}, element("th", { scope: "row" }), element("td")));
    if (row.cells[0].textContent !== name) row.cells[0].textContent = name;
    if (row.cells[1].textContent !== text) row.cells[1].textContent = text;
    row.classList.toggle("bad", Boolean(bad));
  });
}

function frames(status) {
  const lines = [["frames", `${status.frames}`], ["lost", counts(status.dropped, status.dropped_by), status.dropped]];
  if (status.skipped) lines.push(["not judged", counts(status.skipped, status.skipped_by)]);
  for (const [name, by, bad] of [["came again", status.repeated_by], ["images lost", status.images_lost_by, true]]) {
    const n = Object.values(by ?? {}).reduce((sum, each) => sum + each, 0);
    if (n) lines.push([name, counts(n, by), bad]);
  }
  return lines;
}

function times(latency, live) {
  return [["late_us", "camera to loop"], ["span_us", "loop to command"]]
    .filter(([name]) => latency[name] && (live || name === "span_us"))
    .map(([name, text]) => [text, `p50 ${milli(latency[name][0])}, p99 ${milli(latency[name][1])} ms`]);
}

function exposure({ roi, channel, mean, saturated, verdict, limit }) {
  const share = `${(100 * saturated).toFixed(1)} % saturated`;
  const bound = { good: "good", dark: `DARK, below ${limit}`, saturated: `SATURATED, above ${100 * limit} %` }[verdict];
  return [`${roi} ${channel}`, `mean ${mean.toFixed(1)}, ${share}: ${bound}`, verdict !== "good"];
}

const milli = (us) => (us / 1000).toFixed(2);

function counts(n, by) {
  const causes = Object.entries(by ?? {}).sort((a, b) => b[1] - a[1]).map(([cause, k]) => `${k} ${cause}`);
  return n && causes.length ? `${n} (${causes.join(", ")})` : `${n}`;
}
