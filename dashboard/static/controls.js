// Intervening in a session that runs: pause, water, stop, a task variable, a note. There is one of each, which stands on
// the tab that is shown and has a place for it.

import { element, typing, whoever } from "./dom.js";

const KEYS = { p: "pause", w: "give", n: "note-text" };
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
    this.root = element("div", { className: "controls", role: "group", innerHTML: HTML });
    this.root.setAttribute("aria-label", "Intervene");
    this.at = (id) => this.root.querySelector(`#${id}`);
    this.variables = [];
    this.listen();
    this.enable("");
    document.addEventListener("tab", ({ detail }) => this.stand(detail));
    wire.addEventListener("hello", ({ detail }) => this.begin(detail.about));
    wire.addEventListener("update", ({ detail }) => this.update(detail.status));
    wire.addEventListener("end", () => this.enable(""));
    wire.addEventListener("closed", () => this.enable(""));
  }

  // Stands on this tab, if it has a place for it.
  stand(tab) {
    document.getElementById(tab)?.querySelector("[data-controls]")?.append(this.root);
  }

  begin(about) {
    this.variables = about.changeable;
    this.percent = about.kind === "clnf";
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

  update(status) {
    if (!status.phase) return;
    const paused = status.phase === "paused";
    this.at("pause").dataset.do = paused ? "resume" : "pause";
    this.at("pause").firstChild.textContent = paused ? "Resume " : "Pause ";
  }

  // Chooses a variable and goes to its field.
  choose(key) {
    this.at("set-key").value = key;
    this.fill();
    (this.at("set-value").hidden ? this.at("set-choice") : this.at("set-value")).focus();
  }

  // Fills the field with the present value of the chosen variable, and says what it may become.
  fill() {
    const chosen = this.variables.find(({ key }) => key === this.at("set-key").value);
    if (!chosen) return;
    const { value, choices } = chosen;
    this.at("set-value").hidden = this.at("set-value").disabled = choices.length > 0;
    this.at("set-choice").hidden = !choices.length;
    if (choices.length) {
      this.at("set-choice").replaceChildren(...choices.map((each) => new Option(each, each)));
      this.at("set-choice").value = value;
    } else this.at("set-value").value = value;
    this.tellBounds();
  }

  tellBounds() {
    const chosen = this.variables.find(({ key }) => key === this.at("set-key").value);
    const number = Number(this.at("set-value").value);
    const percent = chosen.key === "reward_threshold" && Number.isFinite(number) ? `= ${+(number * 100).toFixed(3)} %; ` : "";
    this.at("set-bounds").textContent = `${percent}${boundsText(chosen)}`;
  }

  listen() {
    for (const button of this.root.querySelectorAll("button[data-do]")) {
      button.onclick = () => this.act(button.dataset.do);
    }
    this.at("set-key").onchange = () => this.fill();
    this.at("set-value").oninput = () => this.tellBounds();
    this.at("set").onsubmit = (event) => {
      event.preventDefault();
      const value = this.at("set-value").hidden ? this.at("set-choice").value : this.at("set-value").value;
      this.ask("set", { key: this.at("set-key").value, value });
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
    document.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const id = KEYS[event.key.toLowerCase()];
    if (!id || event.repeat || typing(event) || document.querySelector("dialog[open]")) return;
    if (!this.root.checkVisibility() || this.at(id).disabled) return;
    event.preventDefault();
    if (id === "note-text") this.at(id).focus();
    else this.at(id).click();
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
    this.at("stop-now").textContent = what === "preview" ? "End the preview" : "Stop now";
    if (!what && this.at("stop-ask").open) this.at("stop-ask").close("no");
    if (!this.variables.length) for (const each of this.at("set").elements) each.disabled = true;
  }
}

// Returns what a variable may become, in words; of one that is chosen from a list the list says it.
export const boundsText = ({ bounds, unit }) => [bounds, unit].filter(Boolean).join(" ");
