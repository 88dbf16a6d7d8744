// The report of one session: what it came to, its figure, what people did, what was lost, and the file to take along.

import { Figure } from "./back_figure.js";
import { Nwb } from "./back_nwb.js";
import { element } from "./dom.js";

const PERCENTILES = [["p50", "p50"], ["p99", "p99"], ["p999", "p99.9"], ["max", "max"]];

const RUNS = "It runs now: the tab Watch shows it; what it came to is counted at its end";

const HTML = `
<div class="back-bar">
  <button class="back-close" type="button">‹ All sessions <kbd>Esc</kbd></button>
  <h2 tabindex="-1"></h2>
  <span class="back-steps"><button class="back-newer" type="button">‹ Newer <kbd>N</kbd></button>
  <button class="back-older" type="button">Older › <kbd>O</kbd></button></span>
</div>
<p class="back-hint" hidden></p>
<div class="back-report">
  <section class="back-sum"><table><caption>What it came to</caption><tbody></tbody></table></section>
  <section class="back-figure"></section>
</div>
<div class="back-report back-more">
  <section class="back-said"></section>
  <section class="back-lost"></section>
  <section class="back-latency"></section>
  <section class="back-nwb"></section>
</div>
<details class="back-events"><summary></summary><div></div></details>`;

export class Report {
  // `go` has `close()` and `step(by)`.
  constructor(root, page, go) {
    this.root = root;
    this.page = page;
    root.innerHTML = HTML;
    this.of = (name) => root.querySelector(`.back-${name}`);
    this.title = root.querySelector("h2");
    this.figure = new Figure(this.of("figure"));
    this.nwb = new Nwb(this.of("nwb"), page);
    this.of("close").onclick = go.close;
    this.of("newer").onclick = () => go.step(-1);
    this.of("older").onclick = () => go.step(1);
    this.asked = 0;
  }

  async show(key) {
    const asked = ++this.asked;
    this.key = key;
    this.clear();
    this.title.textContent = "reading …";
    this.title.focus();
    const address = `sessions/${key.split("/").map(encodeURIComponent).join("/")}`;
    try {
      const found = await this.page.api(address);
      if (asked === this.asked) this.fill(found, address);
    } catch (error) {
      if (asked !== this.asked) return;
      this.title.textContent = "cannot be shown";
      this.tell(error.message);
    }
  }

  clear() {
    this.running = false;
    this.nwb.clear();
    this.figure.show(null);
    this.tell("");
    for (const name of ["said", "lost", "latency"]) this.of(name).replaceChildren();
    this.root.querySelector(".back-sum tbody").replaceChildren();
    this.of("events").hidden = true;
  }

  tell(text) {
    this.of("hint").textContent = text && `⚠ ${text}`;
    this.of("hint").hidden = !text;
  }

  fill(found, address) {
    this.title.textContent = `${found.session}: ${found.outcome || "outcome not recorded"}`;
    this.running = found.outcome === "running";
    this.tell(this.running ? RUNS : found.hint || found.problem);
    this.root.querySelector(".back-sum tbody").replaceChildren(
      ...[...found.rows, { label: "folder", value: found.folder }].map(({ label, value }) =>
        element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, value))),
    );
    this.figure.show(found.figure ? `api/${address}/figure.png` : null, `Figure of ${found.session}`);
    this.said(found.said);
    this.lost(found.causes);
    this.latency(found.latency);
    this.events(found);
    this.nwb.show(found, address);
  }

  said(said) {
    table(this.of("said"), "What people did and noted", ["Time", "", "Who", "What", ""],
      said.map(({ t_s: t, clock, who, what, text }) => [since(t), clock, who, what.replaceAll("_", " "), text]));
  }

  lost(causes) {
    table(this.of("lost"), "What was lost, by cause", ["What", "Cause", "How many"],
      causes.map(({ what, cause, n }) => [what, cause.replaceAll("_", " "), n]));
  }

  latency(latency) {
    const milli = (us) => (us === undefined ? "" : (us / 1000).toFixed(2));
    table(this.of("latency"), "Latency, ms", ["", ...PERCENTILES.map(([, name]) => name)],
      latency.map((each) => [each.what, ...PERCENTILES.map(([key]) => milli(each[key]))]));
  }

  events({ events, more }) {
    const box = this.of("events");
    box.hidden = !events.length;
    const rest = more ? `, and ${more} more in events.csv` : "";
    box.querySelector("summary").textContent = `${events.length} event${events.length === 1 ? "" : "s"}${rest}`;
    const cells = ({ t_s: t, clock, kind, trial, text }) =>
      [since(t), clock, kind.replaceAll("_", " "), trial || "", text];
    table(box.querySelector("div"), "", ["Time", "", "Event", "Trial", ""], events.map(cells));
  }
}

function table(box, title, names, rows) {
  const line = (kind, texts) => element("tr", {}, ...texts.map((text) => element(kind, {}, text)));
  const made = element("table", {}, ...(title ? [element("caption", {}, title)] : []));
  if (rows.length) made.append(line("th", names), ...rows.map((row) => line("td", row)));
  const nothing = rows.length ? [] : [element("p", { className: "back-quiet" }, "nothing")];
  box.replaceChildren(made, ...nothing);
}

function since(seconds) {
  if (seconds === null) return "";
  const whole = Math.abs(seconds);
  const minutes = Math.floor(whole / 60);
  return `${seconds < 0 ? "−" : ""}${minutes}:${(whole % 60).toFixed(1).padStart(4, "0")}`;
}
