// Intervening in a session that runs: pause, water, stop, a task variable, a note; and what was done so far. There is
// one of each, which stands on the tab that is shown and has a place for it.

import { element, leave, whoever } from "./dom.js";
import { Operators } from "./operators.js";

const KEYS = [
  ["p", "pause", "pause, resume"], ["w", "give", "give a drop of water"], ["n", "note-text", "write a note"],
];
const STOPS = new Set(["stop_now", "stop_after_trial"]);

const HTML = `
<div class="acts">
  <button id="pause" type="button" data-do="pause">Pause <kbd>P</kbd></button>
  <button id="give" type="button" data-do="water" class="primary" aria-describedby="give-how">Give water
    <kbd>W</kbd></button>
  <button id="stop-after" type="button" data-do="stop_after_trial">Stop after this trial</button>
  <button id="stop-now" type="button" data-do="stop_now" class="danger">Stop now</button>
</div>
<p id="give-how" class="hint"></p>
<form id="set">
  <label>Set <select id="set-key"></select></label>
  <input id="set-value" required size="8" inputmode="decimal" autocomplete="off" aria-label="New value"
    aria-describedby="set-bounds">
  <select id="set-choice" aria-label="New value" hidden></select>
  <button id="set-button">Set</button>
  <span id="set-bounds" class="hint"></span>
</form>
<form id="note"><label>Note <kbd>N</kbd> <input id="note-text" required maxlength="500" autocomplete="off"></label>
  <button id="note-button">Note</button></form>
<dialog id="stop-ask" aria-labelledby="stop-title"><form method="dialog">
  <h2 id="stop-title">Stop now?</h2>
  <p>The session ends with the next frame. A running trial is cut short, and counts neither as success nor as fail.</p>
  <div class="acts"><button id="stop-yes" value="yes" class="danger">Stop now</button>
    <button id="stop-no" value="no" class="primary" autofocus>Let it go on</button></div>
</form></dialog>`;

export class Controls {
  constructor(wire, page) {
    this.wire = wire;
    this.page = page;
    this.root = element("div", { className: "controls", role: "group", innerHTML: HTML, aria: { label: "Intervene" } });
    this.at = (id) => this.root.querySelector(`#${id}`);
    this.variables = [];
    this.operators = new Operators();
    this.threshold = null;
    this.listen();
    this.enable("");
    document.addEventListener("tab", ({ detail }) => this.stand(detail));
    wire.addEventListener("hello", ({ detail }) => this.begin(detail));
    wire.addEventListener("update", ({ detail }) => this.update(detail));
    wire.addEventListener("end", () => this.enable(""));
    wire.addEventListener("closed", () => this.enable(""));
  }

  // Stands on this tab, if it has a place for it.
  stand(tab) {
    document.getElementById(tab)?.querySelector("[data-controls]")?.append(this.root);
  }

  begin({ about, events, first_ns }) {
    this.operators.clear();
    this.operators.take(events, first_ns ?? 0);
    this.threshold = null;
    this.variables = about.changeable;
    const kept = this.at("set-key").value;
    this.at("set-key").replaceChildren(...this.variables.map(({ key, text }) => {
      const option = new Option(key, key);
      option.title = text;
      return option;
    }));
    if (this.variables.some(({ key }) => key === kept)) this.at("set-key").value = kept;
    this.fill();
    const { reward_ul: ul, reward_s } = about.water;
    this.at("give-how").textContent = about.what === "session"
      ? `A drop is ${ul ? `${ul} µl, the valve ` : "the valve "}open for ${reward_s} s; no trial earns it.` : "";
    this.enable(about.what);
  }

  update({ status, events, first_ns }) {
    this.operators.take(events, first_ns ?? 0);
    if (!status.phase) return;
    this.threshold = status.threshold ?? null;
    this.follow();
    const paused = status.phase === "paused";
    this.at("pause").dataset.do = paused ? "resume" : "pause";
    this.at("pause").firstChild.textContent = paused ? "Resume " : "Pause ";
  }

  // Returns the newest change of each variable that was changed, as {value, who, seconds}.
  changes() {
    return this.operators.changes(this.variables[0]?.key);
  }

  // Returns the present value of a variable, as text; the threshold may follow the mouse.
  now({ key, value }) {
    if (key === this.variables[0].key && this.threshold !== null) return `${+this.threshold.toPrecision(6)}`;
    return this.changes()[key]?.value ?? value;
  }

  // Chooses a variable and goes to its field.
  choose(key) {
    this.at("set-key").value = key;
    this.fill();
    this.field.focus();
  }

  // Fills the field with the present value of the chosen variable, and says what it may become.
  fill() {
    const { chosen } = this;
    if (!chosen) return;
    const { choices } = chosen;
    const value = this.now(chosen);
    this.filled = value;
    this.at("set-value").hidden = this.at("set-value").disabled = choices.length > 0;
    this.at("set-choice").hidden = !choices.length;
    if (choices.length) {
      this.at("set-choice").replaceChildren(...choices.map((each) => new Option(each, each)));
      this.at("set-choice").value = value;
    } else this.at("set-value").value = value;
    this.tellBounds();
  }

  get chosen() {
    return this.variables.find(({ key }) => key === this.at("set-key").value);
  }

  get field() {
    return this.chosen?.choices.length ? this.at("set-choice") : this.at("set-value");
  }

  // Keeps the field at the present value, unless somebody is about to change it.
  follow() {
    if (!this.chosen || this.field === document.activeElement || this.field.value !== this.filled) return;
    if (this.now(this.chosen) !== this.filled) this.fill();
  }

  tellBounds() {
    const { chosen } = this;
    const number = Number(this.at("set-value").value);
    const inPercent = chosen.unit === "dF/F" && Number.isFinite(number);
    const percent = inPercent ? `= ${+(number * 100).toFixed(3)} %; ` : "";
    this.at("set-bounds").textContent = percent + [chosen.bounds, chosen.unit].filter(Boolean).join(" ");
  }

  listen() {
    for (const button of this.root.querySelectorAll("button[data-do]")) {
      button.onclick = () => this.act(button.dataset.do);
    }
    this.at("set-key").onchange = () => this.fill();
    this.at("set-value").oninput = () => this.tellBounds();
    this.at("set").onsubmit = async (event) => {
      event.preventDefault();
      const { value } = this.field;
      if (await this.ask("set", { key: this.at("set-key").value, value })) this.filled = value;
    };
    this.at("note").onsubmit = async (event) => {
      event.preventDefault();
      if (await this.ask("note", { text: this.at("note-text").value })) this.at("note-text").value = "";
    };
    this.at("stop-ask").onclose = () => {
      if (this.at("stop-ask").returnValue === "yes") this.ask("stop_now");
    };
    // A key that is held down gives one drop, not a flood.
    this.root.addEventListener("keydown", (event) => {
      if (event.repeat && event.target.matches("button") && ["Enter", " "].includes(event.key)) event.preventDefault();
    });
    if (this.page.role !== "operator") return;
    for (const tab of ["see", "run"]) {
      for (const [key, id, text] of KEYS) {
        this.page.shortcut(document.getElementById(tab), key, text, () => this.press(this.at(id)));
      }
    }
  }

  // Does what a key stands for; returns false where it stands for nothing now.
  press(it) {
    if (!this.root.checkVisibility() || it.disabled) return false;
    if (it.matches("input")) it.focus();
    else it.click();
    return true;
  }

  act(what) {
    if (what === "stop_now" && this.what === "session") {
      this.at("stop-ask").returnValue = "no";
      this.at("stop-ask").showModal();
    } else this.ask(what);
  }

  async ask(what, more = {}) {
    const who = STOPS.has(what) ? whoever() : this.page.who();
    if (!who || this.asking === what) return false;
    this.asking = what;
    const { ok, text } = await this.wire.ask(what, who, more);
    this.asking = "";
    this.page.say(`${what.replaceAll("_", " ")}: ${text}`, ok);
    return ok;
  }

  // Lets be used what a session, a preview or nothing ("") has a use for.
  enable(what) {
    this.what = what;
    this.root.dataset.what = what;
    for (const each of this.root.querySelectorAll("button, input, select")) {
      each.disabled = !(what === "session" || (what === "preview" && each.id === "stop-now"));
    }
    for (const each of this.root.querySelectorAll("dialog button")) each.disabled = false;
    this.at("set-value").disabled ||= this.at("set-value").hidden;
    this.at("stop-now").textContent = what === "preview" ? "End the preview" : "Stop now";
    if (!what && this.at("stop-ask").open) this.at("stop-ask").close("no");
    if (!what) leave(this.root);
    this.at("set").hidden = what === "session" && !this.variables.length;
  }
}
