// The Watch tab: what a running session looks like. Pictures, signal and tone as they scroll, counters, what was said.

import { Counters } from "./counters.js";
import { Colours, GRADIENT, RANGES } from "./dff.js";
import { Health } from "./health.js";
import { Log } from "./log.js";
import { Outcomes } from "./outcomes.js";
import { legendMark, Strip } from "./plot.js";
import { Pose } from "./pose.js";
import { readShape } from "./shapes.js";
import { drawRois, View } from "./view.js";

const OLD_MS = 2000; // no new frame for this long: what is shown is old
const LOOK_MS = 250;
const HTML = `
<p id="now" class="now" role="status">No session runs.</p>
<div class="warnings" role="alert"><ul id="warnings" aria-label="Warnings"></ul></div>
<div class="counters">
  <div class="state" data-big><b id="phase">–</b><span id="phase-unit">state</span></div>
  <div data-session data-big><b id="trial">–</b><span id="trial-unit">trial</span></div>
  <div data-session><b id="success">–</b><span id="success-unit">successes</span></div>
  <div data-session data-big><b id="water">–</b><span id="water-unit">water</span></div>
  <div><b id="signal">–</b><span id="signal-unit">signal</span></div>
  <div data-session><b id="threshold">–</b><span id="threshold-unit">threshold</span></div>
  <div data-session><b id="tone">–</b><span>tone, Hz</span></div>
  <div data-preview><b id="fps">–</b><span>frames a second</span></div>
  <div><b id="time">–</b><span>time</span></div>
</div>
<div class="line"><p class="outcomes" data-session><span id="outcomes-title">Last trials</span>
  <span id="outcomes" role="img" aria-label="none yet">none yet</span></p>
  <button id="big" type="button">Big <kbd>F</kbd></button></div>
<div class="pictures">
  <figure><figcaption>Camera</figcaption><canvas id="camera" role="img"></canvas></figure>
  <figure id="map-box"><figcaption>dF/F
    <span class="bar"><span id="map-low"></span><i id="map-bar"></i><span id="map-high"></span></span>
    <select id="map-range" aria-label="Range of the map's colours"></select></figcaption>
    <canvas id="map" role="img" aria-label="Map of dF/F: blue is below, orange above the baseline"></canvas></figure>
  <div class="strips" data-big>
    <figure><figcaption><span id="strip-title">Signal</span> <span class="legend" data-session>
      <span><i class="dashed"></i>threshold</span>
      <span><canvas aria-hidden="true" data-mark="earned"></canvas>earned water</span>
      <span><canvas aria-hidden="true" data-mark="free"></canvas>free water</span>
      <span><canvas aria-hidden="true" data-mark="lick"></canvas>lick</span></span></figcaption>
      <div id="strip-signal" role="img"
        aria-label="Signal of the last 20 seconds; its newest value is in the counters"></div></figure>
    <figure data-session><figcaption>Tone, kHz</figcaption>
      <div id="strip-tone" role="img"
        aria-label="Tone of the last 20 seconds; its newest value is in the counters"></div></figure>
  </div>
</div>
<div class="below">
  <div data-controls data-operator></div>
  <div class="health"><table id="health"><caption>Frames and latency</caption></table></div>
  <div class="exposures" data-preview><table id="exposures"><caption>Exposure</caption></table></div>
  <div class="log" data-session><h2>Events</h2>
    <ol id="events" tabindex="0" aria-label="Events, newest first"></ol></div>
</div>
<details id="summary" hidden><summary>What the session came to</summary><pre></pre></details>
<p id="heard" class="unseen" role="status"></p>`;

export class See {
  constructor(root, wire, page) {
    this.root = root;
    this.wire = wire;
    this.page = page;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#${id}`);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.signal = new Strip(this.at("strip-signal"), ["signal", "threshold"], { still });
    this.tone = new Strip(this.at("strip-tone"), ["freq_hz"], { still, tone: true });
    this.camera = new View(this.at("camera"));
    this.map = new View(this.at("map"), (...given) => this.colours?.paint(...given));
    this.counters = new Counters(root);
    this.outcomes = new Outcomes(this.at("outcomes"));
    this.health = new Health(this.at("health"), this.at("exposures"));
    this.log = new Log(this.at("events"), this.at("warnings"), (text) => page.alarm(text));
    this.tell("none", page.role === "operator" ? "No session runs: start one on the Run tab." : "No session runs.");
    this.listen();
    this.fillRange();
    this.turnBig();
    this.dress();
  }

  listen() {
    const { wire } = this;
    wire.addEventListener("hello", ({ detail }) => this.begin(detail));
    wire.addEventListener("update", ({ detail }) => this.update(detail));
    wire.addEventListener("end", ({ detail }) => this.end(detail));
    wire.addEventListener("live", ({ detail: { live } }) => {
      if (this.about && !this.over && !live.some(({ name }) => name === wire.shown)) {
        const text = "it ended while this page was not connected; its report is on Look back";
        wire.say("end", { live: wire.shown, outcome: "over", text });
      }
    });
    wire.addEventListener("closed", () => this.look());
    setInterval(() => this.look(), LOOK_MS);
    document.addEventListener("theme", () => this.dress());
    new ResizeObserver(() => [this.camera, this.map].forEach((view) => view.draw())).observe(this.root);
    document.addEventListener("tab", () => this.paint());
    document.addEventListener("visibilitychange", () => this.paint());
  }

  // Puts on the colours of now.
  dress() {
    for (const strip of [this.signal, this.tone]) strip.draw();
    for (const canvas of this.root.querySelectorAll("[data-mark]")) legendMark(canvas, canvas.dataset.mark);
  }

  begin({ live, about, map_end, events, first_ns }) {
    const { kind, what } = about;
    this.about = about;
    this.over = false;
    this.cameAt = performance.now();
    this.percent = kind === "clnf";
    this.mapEnd = map_end;
    this.blobs = {};
    this.free = new Set();
    this.outcomes.clear();
    this.counters.begin(about);
    this.root.dataset.what = what;
    this.root.dataset.kind = kind;
    this.at("map-box").hidden = !this.percent;
    for (const view of [this.camera, this.map]) view.clear(about.shape);
    const over = this.percent ? "regions of interest" : "body parts";
    this.at("camera").setAttribute("aria-label", `Camera image with ${over}`);
    const rois = Object.entries(about.rois).map(([name, text]) => [name, readShape(text)]);
    this.pose = this.percent ? null : new Pose(about);
    this.overMap = (context, scale) => drawRois(context, scale, rois);
    this.overCamera = this.pose ? (context, scale) => this.pose.draw(context, scale) : this.overMap;
    this.colour();
    this.at("strip-title").textContent = `Signal, ${this.counters.meaning}`;
    for (const strip of [this.signal, this.tone]) strip.clear();
    this.tone.range = [about.tones_hz[0] * 0.84, about.tones_hz[1] * 1.19];
    this.health.clear(about);
    this.log.clear(live, this.counters);
    this.at("summary").hidden = true;
    this.hear(events, first_ns, false);
  }

  update(news) {
    const { status, events, table, blobs, first_ns, rows } = news;
    if (!this.about) return;
    const now = performance.now();
    this.hear(events, first_ns);
    this.scroll(table);
    if (this.over) return;
    if (rows.n || !status.frames) this.cameAt = now;
    const turned = this.counters.update(status, table);
    if (turned) this.heard(turned);
    this.health.update(news, now);
    this.look();
    for (const name of ["camera", "map"]) if (blobs[name]) this.blobs[name] = blobs[name];
    this.paint();
  }

  // Shows the newest pictures, if anybody sees them; who comes back to them may find that no newer ones come.
  paint() {
    if (!this.about || this.root.hidden || document.hidden) return;
    const { camera, map } = this.blobs;
    this.blobs = {};
    if (camera) this.camera.show(camera, this.overCamera);
    if (map) this.map.show(map, this.overMap);
  }

  // Lets the strips and the pose go on.
  scroll(table) {
    const scale = this.percent ? 100 : 1;
    const marks = [];
    table.t_s.forEach((time, row) => {
      if (table.licks[row]) marks.push([time, "lick"]);
      if (table.water[row]) marks.push([time, this.isFree(time) ? "free" : "earned"]);
    });
    const { phase, trial } = this.about.what === "session" ? table : {};
    this.signal.add(table.t_s, [scaled(table.signal, scale), scaled(table.threshold, scale)], { phase, trial, marks });
    this.tone.add(table.t_s, [table.freq_hz.map((hz) => hz || NaN)]);
    this.pose?.add(table);
  }

  // Whether the drop of this time, s, was given by a person: the row's time is rounded, the event's is not.
  isFree(time) {
    for (const free of this.free) if (Math.abs(free - time) < 0.4 / this.about.framerate) return true;
    return false;
  }

  end({ outcome, text }) {
    if (!this.about || this.over) return;
    this.over = true;
    const said = text.split("\n").slice(0, 2).map((line) => line.replace(/^outcome\s+/, "").replace(/\s+/g, " "));
    this.tell("over", `${this.about.mouse}: the ${this.about.what} is over: ${said.join("; ")}`);
    this.at("summary").hidden = !text.includes("\n");
    this.at("summary").querySelector("pre").textContent = text;
    this.counters.end(outcome === "preview" ? "over" : outcome);
    this.root.dataset.ended = ["lost", "failed"].includes(outcome) ? "badly" : "well";
    this.page.alarm("");
    this.heard(`${this.about.what} over: ${outcome}`);
  }

  // Says whether what is shown is how things are now.
  look() {
    if (!this.about || this.over) return;
    const { mouse, experiment, rig, what } = this.about;
    const old = performance.now() - this.cameAt;
    const at = this.at("time").textContent;
    const preview = what === "preview" ? ", preview: nothing is recorded" : "";
    if (!this.wire.connected) {
      this.tell("old", `Not connected: what you see is old, of ${at}. The ${what} itself goes on.`);
    } else if (old > Math.max(OLD_MS, 3000 / this.about.framerate)) {
      const since = `what you see is old, of ${at}. Look at the rig.`;
      this.tell("old", `No new frame for ${Math.floor(old / 1000)} s: ${since}`, `No new frame: ${since}`);
    } else this.tell("live", `Live: ${mouse}, ${experiment}, ${rig}${preview}`);
  }

  // Says it here, and in short to whoever shows the session elsewhere.
  tell(state, text, short = text) {
    this.root.dataset.live = state;
    if (this.at("now").textContent !== text) this.at("now").textContent = text;
    if (this.told === short) return;
    this.told = short;
    this.page.dispatchEvent(new CustomEvent("liveness", { detail: { state, text: short } }));
  }

  heard(text) {
    this.at("heard").textContent = text;
  }

  // Takes events; `aloud`: tells them to whoever listens to the page, too.
  hear(events, first_ns, aloud = true) {
    for (const [, time_ns, kind] of events) if (kind === "free_water") this.free.add((time_ns - first_ns) / 1e9);
    const said = this.outcomes.add(events);
    if (aloud && said) this.heard(said);
    this.log.add(events, first_ns);
  }

  fillRange() {
    const select = this.at("map-range");
    select.replaceChildren(...RANGES.map((percent) => new Option(`±${percent} %`, percent)));
    select.value = localStorage.getItem("map-range") ?? 5;
    if (!select.value) select.value = 5;
    select.onchange = () => {
      localStorage.setItem("map-range", select.value);
      this.colour();
      this.map.draw();
    };
    this.at("map-bar").style.background = GRADIENT;
    this.colour();
  }

  // Takes the colours of the chosen range.
  colour() {
    const percent = Number(this.at("map-range").value);
    if (this.mapEnd) this.colours = new Colours(this.mapEnd, percent);
    this.at("map-low").textContent = `−${percent} %`;
    this.at("map-high").textContent = `+${percent} %`;
  }

  // Big: state, trial, water and signal alone, to be read from across the room.
  turnBig() {
    const root = document.documentElement;
    const turn = (on) => {
      root.toggleAttribute("data-big", on);
      this.at("big").firstChild.textContent = on ? "All " : "Big ";
      this.dress();
      if (on) root.requestFullscreen?.().catch(() => null);
      else if (document.fullscreenElement) document.exitFullscreen().catch(() => null);
    };
    const flip = () => turn(!root.hasAttribute("data-big"));
    this.at("big").onclick = flip;
    this.page.shortcut(this.root, "f", "state, trial, water and signal big, or all again", flip);
    this.page.shortcut(this.root, "Escape", "all again", () => root.hasAttribute("data-big") && turn(false));
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) turn(false);
    });
    document.addEventListener("tab", () => turn(false));
  }
}

const scaled = (values, scale) => (scale === 1 ? values : values.map((value) => value * scale));
