// What a running session looks like: pictures, signal and tone as they scroll, counters, and what was said.

import { corner, path, readShape } from "./shapes.js";
import { Strip } from "./plot.js";

const PHASES = ["rest", "trial", "paused", "done"];
const QUIET = new Set(["lick", "edge", "sync"]);
const KEPT_EVENTS = 200;

const HTML = `
<div class="counters" aria-live="off">
  <div class="state"><b id="phase">–</b><span>state</span></div>
  <div><b id="trial">–</b><span>trial</span></div>
  <div><b id="success">–</b><span>successes</span></div>
  <div><b id="water">–</b><span id="water-unit">water</span></div>
  <div><b id="tone">–</b><span>tone, Hz</span></div>
  <div><b id="signal">–</b><span id="signal-unit">signal</span></div>
  <div><b id="threshold">–</b><span>threshold</span></div>
  <div><b id="time">–</b><span>time</span></div>
</div>
<div class="pictures">
  <figure><figcaption>Camera</figcaption><canvas id="camera" width="256" height="256" role="img"
    aria-label="Camera image with regions of interest"></canvas></figure>
  <figure id="map-box"><figcaption>dF/F, −5 to +5 %</figcaption><canvas id="map" width="256" height="256" role="img"
    aria-label="Map of dF/F: blue is below, orange above the baseline"></canvas></figure>
  <div class="strips"><div id="strip-signal"></div><div id="strip-tone"></div></div>
</div>
<div class="below">
  <div data-controls></div>
  <div class="health"><table><caption>Frames and latency</caption><tbody id="health"></tbody></table></div>
  <div class="log"><h2>Events</h2><ol id="events" tabindex="0" aria-label="Events, newest first"></ol></div>
</div>`;

export class See {
  constructor(root, wire, page) {
    this.root = root;
    this.wire = wire;
    this.page = page;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#${id}`);
    this.signal = new Strip(this.at("strip-signal"), ["signal", "threshold"], "Signal");
    this.tone = new Strip(this.at("strip-tone"), ["freq_hz"], "Tone, Hz");
    this.drawing = { camera: false, map: false };
    wire.addEventListener("hello", ({ detail }) => this.begin(detail));
    wire.addEventListener("update", ({ detail }) => this.update(detail));
    wire.addEventListener("end", ({ detail }) => this.end(detail));
    document.addEventListener("theme", () => [this.signal, this.tone].forEach((strip) => strip.draw()));
  }

  begin({ about, events, first_ns }) {
    this.about = about;
    this.percent = about.kind === "clnf";
    this.shapes = Object.entries(about.rois).map(([name, text]) => [name, readShape(text)]);
    this.at("map-box").hidden = !this.percent;
    this.at("signal-unit").textContent = this.percent ? "signal, % dF/F" : "speed, mm/s";
    this.at("events").replaceChildren();
    this.signal.clear(this.percent ? "Signal, % dF/F" : "Speed, mm/s");
    this.tone.clear("Tone, Hz");
    this.tone.range(0, about.tones_hz[1] * 1.05);
    this.tell(events, first_ns);
  }

  update({ status, latency, events, table, blobs, first_ns }) {
    if (!this.about) return;
    const scale = this.percent ? 100 : 1;
    this.signal.add(table.t_s, [scaled(table.signal, scale), scaled(table.threshold, scale)], table.water);
    this.tone.add(table.t_s, [table.freq_hz], null);
    if (status.phase) this.count(status, table, scale);
    this.health(status, latency);
    this.tell(events, first_ns);
    if (blobs.camera) this.draw("camera", blobs.camera);
    if (blobs.map) this.draw("map", blobs.map);
  }

  end({ outcome, text }) {
    this.at("phase").textContent = outcome;
    this.page.say(`${outcome}: ${text.split("\n")[1] ?? text}`, true);
  }

  count(status, table, scale) {
    const set = (id, text) => { this.at(id).textContent = text; };
    const { goal, settings } = this.about;
    const last = table.signal.length - 1;
    this.root.dataset.phase = status.phase;
    set("phase", status.waits ? "waits" : status.phase);
    set("trial", goal.trials ? `${status.trial} / ${goal.trials}` : "resting");
    set("success", status.successes);
    const ul = Number(settings.reward_ul);
    set("water", ul > 0 ? (status.drops * ul).toFixed(0) : (status.drops * Number(settings.reward_dur)).toFixed(1));
    const drops = `${status.drops} drop${status.drops === 1 ? "" : "s"}`;
    set("water-unit", ul > 0 ? `µl in ${drops}` : `s open in ${drops}`);
    if (last >= 0) {
      set("tone", table.freq_hz[last] ? table.freq_hz[last].toFixed(0) : "silent");
      set("signal", Number.isFinite(table.signal[last]) ? (table.signal[last] * scale).toFixed(1) : "–");
    }
    set("threshold", status.threshold === null ? "–" : (status.threshold * scale).toFixed(1));
    set("time", clock(status.time_s));
  }

  health(status, latency) {
    if (status.frames === undefined) return;
    const rows = [["frames", status.frames], ["lost", counts(status.dropped, status.dropped_by)]];
    if (status.skipped) rows.push(["not judged", counts(status.skipped, status.skipped_by)]);
    const unkept = Object.values(status.images_lost_by).reduce((sum, n) => sum + n, 0);
    if (unkept) rows.push(["images lost", counts(unkept, status.images_lost_by)]);
    for (const [name, text] of [["late_us", "camera to loop"], ["span_us", "loop to command"]]) {
      if (latency[name] && (name === "span_us" || this.about.live)) {
        rows.push([text, `p50 ${milli(latency[name][0])}, p99 ${milli(latency[name][1])} ms`]);
      }
    }
    this.at("health").replaceChildren(...rows.map(([name, value]) => {
      const row = document.createElement("tr");
      row.append(cell("th", name), cell("td", value));
      return row;
    }));
  }

  tell(events, first_ns) {
    const list = this.at("events");
    for (const [, time_ns, kind, trial, detail] of events) {
      if (QUIET.has(kind)) continue;
      const item = document.createElement("li");
      item.dataset.kind = kind;
      item.append(cell("time", clock((time_ns - first_ns) / 1e9)), cell("b", kind.replaceAll("_", " ")),
        cell("span", trial ? `trial ${trial}` : ""), cell("span", detail));
      list.prepend(item);
    }
    while (list.children.length > KEPT_EVENTS) list.lastChild.remove();
  }

  // Draws the newest picture; one that is not decoded yet when the next comes is let go.
  async draw(name, bytes) {
    if (this.drawing[name]) return;
    this.drawing[name] = true;
    try {
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      const canvas = this.at(name);
      const [height, width] = this.about.shape;
      const ratio = Math.max(1, Math.round(768 / width));
      if (canvas.width !== width * ratio) [canvas.width, canvas.height] = [width * ratio, height * ratio];
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      this.overlay(context, canvas.width / width);
    } finally {
      this.drawing[name] = false;
    }
  }

  overlay(context, ratio) {
    context.save();
    context.scale(ratio, ratio);
    for (const [name, shape] of this.shapes) {
      for (const [width, colour] of [[4, "#000"], [2, "#ffd166"]]) {
        path(context, shape);
        context.lineWidth = width / ratio;
        context.strokeStyle = colour;
        context.stroke();
      }
      const [x, y] = corner(shape);
      context.font = `${Math.round(30 / ratio)}px system-ui`;
      context.lineWidth = 4 / ratio;
      context.strokeStyle = "#000";
      context.strokeText(name, x + 3, y);
      context.fillStyle = "#ffd166";
      context.fillText(name, x + 3, y);
    }
    context.restore();
  }
}

const scaled = (values, scale) => (scale === 1 ? values : values.map((value) => value * scale));
const milli = (us) => (us / 1000).toFixed(2);

function cell(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function counts(n, by) {
  const causes = Object.entries(by).sort((a, b) => b[1] - a[1]).map(([cause, k]) => `${k} ${cause}`);
  return n && causes.length ? `${n} (${causes.join(", ")})` : `${n}`;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
