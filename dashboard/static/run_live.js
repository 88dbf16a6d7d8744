// The session that runs, as whoever trains it needs it: its state in large, its variables, and who did what.

import { clock, element, leave, microlitres } from "./dom.js";

const HTML = `
<p id="run-now" class="run-now" role="status" hidden></p>
<div class="run-state" aria-live="off">
  <div class="state"><b id="run-phase">–</b><span id="run-phase-unit">state</span></div>
  <div><b id="run-trial">–</b><span id="run-trial-unit">trial</span></div>
  <div><b id="run-success">–</b><span>successes</span></div>
  <div><b id="run-water">–</b><span id="run-water-unit">water</span></div>
  <div><b id="run-today">–</b><span id="run-today-unit">valve open today, s</span></div>
  <div><b id="run-time">–</b><span>time</span></div>
</div>
<div class="run-columns">
  <div class="card" data-controls></div>
  <div class="card run-variables"><table id="variables"><caption>Task variables <span class="hint">a change holds from
    the next rest or trial on, a threshold at once</span></caption>
    <thead><tr><th scope="col">key</th><th scope="col">now</th><th scope="col">may be</th><th scope="col">changed</th>
    <td></td></tr></thead><tbody></tbody></table></div>
  <div class="card"><h2>Notes</h2><ol id="notes" tabindex="0" aria-label="Notes, newest first"></ol></div>
  <div class="card"><h2>Who did what</h2><ol id="interventions" tabindex="0" aria-label="What people did, newest first">
    </ol></div>
</div>`;

const WORDS = {
  free_water: "gave a drop", set: "set", set_threshold: "set the threshold to",
  stop_after_trial: "stops after this trial",
  stop_now: "stopped it", abort_trial: "cut the trial short", pause: "paused", resume: "resumed",
};

export class Live {
  constructor(root, wire, page, controls) {
    this.root = root;
    this.controls = controls;
    root.innerHTML = HTML;
    root.hidden = true;
    this.at = (id) => root.querySelector(`#${id}`);
    this.shown = "";
    this.about = null;
    wire.addEventListener("hello", ({ detail }) => this.begin(detail));
    wire.addEventListener("update", ({ detail }) => this.update(detail));
    page.addEventListener("liveness", ({ detail }) => this.age(detail));
    wire.addEventListener("end", ({ detail }) => {
      root.dataset.over = "true";
      root.dataset.phase = "over";
      // It is gone with the button that had the focus.
      leave(root);
      this.at("run-phase").textContent = detail.outcome.replaceAll("_", " ") || "over";
    });
  }

  begin({ about }) {
    this.about = about;
    this.root.hidden = about.what !== "session";
    this.root.dataset.over = "false";
    this.at("run-phase-unit").textContent = `state of ${about.mouse}`;
    this.shown = "";
    this.tell();
  }

  update({ status }) {
    if (this.about?.what !== "session") return;
    if (status.phase) this.count(status);
    this.tell();
  }

  // Shows variables and what was done, where there is something new.
  tell() {
    const { operators, threshold } = this.controls;
    const news = `${operators.stamp} ${threshold}`;
    if (news === this.shown) return;
    this.shown = news;
    this.list();
    this.table();
  }

  // Says so where what stands here is not how things are now.
  age({ state, text }) {
    this.root.dataset.live = state;
    this.at("run-now").hidden = state !== "old";
    if (this.at("run-now").textContent !== text) this.at("run-now").textContent = text;
  }

  count(status) {
    const set = (id, text) => { this.at(id).textContent = text; };
    const { goal, water } = this.about;
    this.root.dataset.phase = status.phase;
    set("run-phase", status.waits ? "waits" : status.phase);
    set("run-trial", goal.trials ? `${status.trial} / ${goal.trials}` : "–");
    set("run-trial-unit", goal.trials ? "trial" : "no trials");
    set("run-success", goal.trials ? status.successes : "–");
    const open_s = status.drops * water.reward_s;
    set("run-water", water.reward_ul ? microlitres(status.drops * water.reward_ul) : open_s.toFixed(1));
    const drops = `${status.drops} drop${status.drops === 1 ? "" : "s"}`;
    set("run-water-unit", water.reward_ul ? `µl in ${drops}` : `s open in ${drops}`);
    const counted = water.had_s !== null;
    set("run-today", counted ? (water.had_s + open_s).toFixed(1) : "–");
    set("run-today-unit", counted ? `s open today, of ${water.max_day_s}` : "today: no real valve, not counted");
    set("run-time", clock(status.time_s));
  }

  table() {
    const [first] = this.about.changeable;
    const changes = this.controls.changes();
    const focused = this.at("variables").contains(document.activeElement) && document.activeElement.id;
    this.at("variables").parentElement.hidden = !first;
    this.at("variables").tBodies[0].replaceChildren(...this.about.changeable.map((variable) => {
      const { key, text, unit, choices } = variable;
      const change = changes[key];
      const now = this.controls.now(variable);
      const bounds = choices.length ? "one of a list" : variable.bounds;
      const button = element("button", { type: "button", textContent: "Change", id: `change-${key}` });
      button.setAttribute("aria-label", `Change ${key}`);
      button.onclick = () => this.controls.choose(key);
      return element("tr", { data: { key } }, element("th", { textContent: key, title: text, scope: "row" }),
        element("td", { textContent: unit ? `${now} ${unit}` : now }),
        element("td", { textContent: bounds }),
        element("td", { textContent: change ? `${change.who}, ${clock(change.seconds)}` : "" }),
        element("td", {}, button));
    }));
    if (focused) this.at(focused)?.focus();
  }

  list() {
    const notes = this.controls.operators.notes();
    this.at("notes").replaceChildren(...(notes.length ? notes.map(noteLine).reverse()
      : [element("li", { className: "hint", textContent: "none yet" })]));
    const others = this.controls.operators.all.filter(({ what }) => what !== "note");
    this.at("interventions").replaceChildren(...(others.length ? others.map(otherLine).reverse()
      : [element("li", { className: "hint", textContent: "nothing yet" })]));
  }
}

const line = ({ seconds, who }, ...more) => element("li", {}, element("time", { textContent: clock(seconds) }),
  element("b", { textContent: who }), ...more);
const noteLine = (note) => line(note, element("span", { textContent: note.text }));

function otherLine(wish) {
  const { what, text, refused } = wish;
  const said = what === "set" || what === "set_threshold" ? `${WORDS[what]} ${text}` : WORDS[what] ?? what;
  const made = line(wish, element("span", { textContent: refused ? `asked for ${what}, refused: ${text}` : said }));
  made.dataset.refused = refused;
  return made;
}
