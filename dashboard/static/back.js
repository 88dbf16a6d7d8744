// Look back: the sessions that were recorded, the newest first, a mouse's learning curve, and a session's report.

import { Curve } from "./back_curve.js";
import { Report } from "./back_report.js";
import { Table } from "./back_table.js";
import { when } from "./back_text.js";
import { element } from "./dom.js";

const AGAIN_MS = 500;
const SETTLES_MS = 1500;

const HTML = `
<div id="back-list">
  <div class="back-bar">
    <label>Mouse <select id="back-mouse"><option value="">all mice</option></select></label>
    <label>Find <input id="back-find" type="search" size="16" placeholder="day, rig, outcome"></label>
    <button id="back-again" type="button">Read again</button>
    <a id="back-csv" class="button" href="api/sessions.csv" download="sessions.csv">Table as CSV</a>
    <span id="back-count" class="back-quiet" role="status"></span>
  </div>
  <div id="back-reading" hidden><progress id="back-progress"></progress> <span id="back-progress-text"></span></div>
  <details id="back-needs" hidden><summary></summary><ul></ul></details>
  <div id="back-curve" hidden></div>
  <div id="back-table" hidden></div>
</div>
<article id="back-report" hidden></article>`;

export class Back {
  constructor(root, wire, page) {
    this.root = root;
    this.page = page;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#back-${id}`);
    this.mouse = "";
    this.sessions = [];
    this.notes = [];
    this.asked = 0;
    this.table = new Table(this.at("table"), (key) => this.open(key));
    this.curve = new Curve(this.at("curve"));
    this.report = new Report(this.at("report"), page, {
      close: () => this.close(), step: (by) => this.step(by),
    });
    this.listen(wire);
  }

  listen(wire) {
    document.addEventListener("tab", ({ detail }) => { if (detail === this.root.id) this.load(); });
    this.at("mouse").onchange = () => this.choose(this.at("mouse").value);
    this.at("find").oninput = () => this.show();
    this.at("again").onclick = () => this.load();
    // A session that begins or ends changes the list; its folder is as it stays a moment later.
    let running = "";
    wire.addEventListener("live", ({ detail: { live } }) => {
      this.report.nwb.busy = live.some(({ what }) => what === "session");
      const names = live.map(({ name }) => name).join();
      if (names === running) return;
      running = names;
      setTimeout(() => this.again(), SETTLES_MS);
    });
    document.addEventListener("theme", () => this.curve.draw());
    const reported = (does) => () => (this.at("report").hidden ? false : does());
    const { page, root } = this;
    page.shortcut(root, "/", "find a session", () => (this.at("list").hidden ? false : this.at("find").focus()));
    page.shortcut(root, "Escape", "from a session back to all", reported(() => this.close()));
    page.shortcut(root, "n", "the next newer session", reported(() => this.step(-1)));
    page.shortcut(root, "o", "the next older session", reported(() => this.step(1)));
  }

  // Shows what is shown anew.
  again() {
    if (this.root.hidden) return;
    this.load();
    if (this.report.running) this.report.show(this.report.key);
  }

  choose(mouse) {
    this.mouse = mouse;
    this.table.first();
    this.show();
    return this.loadCurve();
  }

  // Asks for the list, again and again while folders are read; only the newest wish is shown.
  async load() {
    const asked = ++this.asked;
    try {
      let found = await this.page.api("sessions");
      while (found.reading && asked === this.asked && !this.root.hidden) {
        this.reading(found.reading);
        await new Promise((over) => { setTimeout(over, AGAIN_MS); });
        found = await this.page.api("sessions");
      }
      if (asked !== this.asked || found.reading) return;
      this.reading(null);
      this.fill(found);
      await this.loadCurve();
    } catch (error) {
      if (asked !== this.asked) return;
      this.reading(null);
      this.page.say(error.message, false);
    }
  }

  // Shows the learning curve of the mouse that is chosen; of all together there is none.
  async loadCurve() {
    const { mouse } = this;
    const some = mouse && this.sessions.some((each) => each.mouse === mouse);
    try {
      const days = some ? await this.page.api(`curves/${encodeURIComponent(mouse)}`) : null;
      if (mouse === this.mouse) this.curve.show(days);
    } catch (error) {
      this.page.say(error.message, false);
    }
  }

  reading(how) {
    this.at("reading").hidden = !how;
    if (!how) return;
    this.at("progress").max = how.total || 1;
    if (how.total) this.at("progress").value = how.done;
    else this.at("progress").removeAttribute("value");
    this.at("progress-text").textContent = how.total
      ? `reading sessions that are not in the index yet: ${how.done} of ${how.total}` : "looking at the folders";
  }

  fill({ sessions, mice, notes }) {
    this.sessions = sessions;
    this.notes = notes;
    const options = mice.map(({ mouse, sessions: n }) => new Option(`${mouse} (${n})`, mouse));
    const all = mice.reduce((sum, { sessions: n }) => sum + n, 0);
    this.at("mouse").replaceChildren(new Option(`all mice (${all})`, ""), ...options);
    if (this.mouse && !mice.some(({ mouse }) => mouse === this.mouse)) {
      this.at("mouse").append(new Option(`${this.mouse} (0)`, this.mouse));
    }
    this.at("mouse").value = this.mouse;
    this.at("table").hidden = false;
    this.show();
  }

  // What a person should know or do, out of the way until it is wanted.
  need(lines) {
    const box = this.at("needs");
    box.hidden = !lines.length;
    const what = lines.length === 1 ? "1 thing needs" : `${lines.length} things need`;
    box.querySelector("summary").textContent = `⚠ ${what} you`;
    box.querySelector("ul").replaceChildren(...lines.map((line) => element("li", {}, line)));
  }

  show() {
    const { mouse, sessions } = this;
    const own = mouse ? sessions.filter((each) => each.mouse === mouse) : sessions;
    this.at("csv").href = `api/sessions.csv${mouse ? `?mouse=${encodeURIComponent(mouse)}` : ""}`;
    this.need([...this.notes, ...own.map(({ hint }) => hint).filter(Boolean)]);
    const words = this.at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (session) => {
      const { session: path, experiment, rig, outcome, session_type: type } = session;
      const text = [path, experiment, rig, outcome, type, when(session)].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const shown = words.length ? own.filter(fits) : own;
    this.table.show(shown);
    const of = shown.length === own.length ? "" : ` of ${own.length}`;
    this.at("count").textContent = `${shown.length}${of} session${shown.length === 1 && !of ? "" : "s"}`;
  }

  async open(key) {
    this.at("list").hidden = true;
    this.at("report").hidden = false;
    await this.report.show(key);
  }

  close() {
    this.report.clear();
    this.at("report").hidden = true;
    this.at("list").hidden = false;
    this.curve.draw();
    this.table.focus();
  }

  // Opens the next older (1) or newer (-1) session of the list, if there is one.
  step(by) {
    const key = this.table.step(by);
    if (key) this.open(key);
  }
}
