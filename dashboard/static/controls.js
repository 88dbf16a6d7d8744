// What is asked of the shown session while it runs: pause, water, an end, a changed variable, a note.

const HTML = `
<button id="pause" data-do="pause">Pause <kbd>P</kbd></button>
<button id="give" data-do="water" class="primary">Give water <kbd>W</kbd></button>
<button id="stop-after" data-do="stop_after_trial">Stop after this trial</button>
<button id="stop-now" data-do="stop_now" class="danger">Stop now</button>
<form id="set"><label>Set <select id="set-key"></select></label><input id="set-value" required size="8"
  aria-label="New value"><button>Set</button></form>
<form id="note"><label>Note <input id="note-text" required maxlength="500"></label><button>Note</button></form>`;

export class Controls {
  constructor(wire, page) {
    const root = document.querySelector("[data-controls]");
    root.classList.add("controls");
    this.root = root;
    this.wire = wire;
    this.page = page;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#${id}`);
    wire.addEventListener("hello", ({ detail }) => this.begin(detail.about));
    wire.addEventListener("update", ({ detail }) => this.update(detail.status));
    for (const kind of ["end", "closed"]) wire.addEventListener(kind, () => this.enable(false));
    this.listen();
    this.enable(false);
  }

  begin(about) {
    this.fillKeys(about);
    this.enable(about.what === "session");
  }

  update({ phase }) {
    if (!phase) return;
    const pause = this.at("pause");
    const paused = phase === "paused";
    pause.dataset.do = paused ? "resume" : "pause";
    pause.firstChild.textContent = paused ? "Resume " : "Pause ";
  }

  fillKeys(about) {
    const first = about.kind === "clnf" ? "reward_threshold" : "speed_threshold";
    const keys = [first, "success_rest_dur", "fail_rest_dur", "max_trial_dur", "reward_delay", "audio_delay",
      "session_type"];
    const select = this.at("set-key");
    select.replaceChildren(...keys.map((key) => new Option(key, key)));
    const show = () => { this.at("set-value").value = about.settings[select.value] ?? ""; };
    select.onchange = show;
    show();
  }

  listen() {
    for (const button of this.root.querySelectorAll("button[data-do]")) {
      button.onclick = () => this.ask(button.dataset.do, {}, button);
    }
    this.at("set").onsubmit = (event) => {
      event.preventDefault();
      this.ask("set", { key: this.at("set-key").value, value: this.at("set-value").value }, event.submitter);
    };
    this.at("note").onsubmit = async (event) => {
      event.preventDefault();
      const done = await this.ask("note", { text: this.at("note-text").value }, event.submitter);
      if (done) this.at("note-text").value = "";
    };
    if (this.page.role !== "operator") return;
    const section = this.root.closest("section");
    this.page.shortcut(section, "p", "pause, or go on", () => this.press("pause"));
    this.page.shortcut(section, "w", "give a drop of water", () => this.press("give"));
  }

  press(id) {
    if (!this.at(id).disabled) this.at(id).click();
  }

  async ask(what, more, button) {
    const name = this.page.who();
    if (!name) return false;
    if (what === "stop_now" && !window.confirm("End this session now? A running trial is cut short.")) return false;
    if (button) button.disabled = true;
    const { ok, text } = await this.wire.ask(what, name, more);
    if (button) button.disabled = !this.running;
    this.page.say(`${what.replaceAll("_", " ")}: ${text}`, ok);
    return ok;
  }

  enable(running) {
    this.running = running;
    for (const each of this.root.querySelectorAll("button, input, select")) each.disabled = !running;
  }
}
