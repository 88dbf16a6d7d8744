// Choosing who is trained, and how: the mice of config.ini, what is wrong with each, the experiment.

import { element } from "./dom.js";

const FILTERED = 12;

const HTML = `
<fieldset class="card mice"><legend>Mouse</legend>
  <input id="mice-filter" type="search" placeholder="part of a name" aria-label="Show mice whose name has" hidden>
  <div id="mice-list" role="radiogroup" aria-label="Mouse"></div>
  <p class="hint">From <code id="mice-config"></code> <button id="mice-again" type="button">Read it again</button></p>
</fieldset>`;

// Tells "chosen" when mouse, experiment or what is wrong with them has changed.
export class Choose extends EventTarget {
  constructor(root, page, experiment, about) {
    super();
    this.page = page;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#${id}`);
    this.experiment = experiment;
    this.about = about;
    this.mice = [];
    this.experiments = [];
    this.facts = null;
    this.problems = [];
    this.at("mice-config").textContent = page.state.config.split("/").pop();
    this.at("mice-config").title = page.state.config;
    this.at("mice-again").onclick = async () => {
      await this.read();
      const well = !this.general.length;
      page.say(well ? `config.ini was read: ${this.mice.length} mice` : "config.ini cannot be used as it is", well);
    };
    this.at("mice-filter").oninput = () => this.filter();
    experiment.onchange = () => this.ask();
    page.addEventListener("mouse", () => this.mark());
  }

  // Reads config.ini anew, by way of the server.
  async read() {
    try {
      const { mice, experiments, problems } = await this.page.api("mice");
      this.mice = mice;
      this.experiments = experiments;
      this.general = problems;
    } catch (error) {
      this.mice = [];
      this.general = [error.message];
    }
    this.at("mice-list").replaceChildren(...this.mice.map((mouse) => this.row(mouse)));
    this.at("mice-filter").hidden = this.mice.length < FILTERED;
    this.filter();
    if (!this.mice.some(({ mouse }) => mouse === this.page.mouse) && this.mice.length) {
      this.page.choose(this.mice[0].mouse);
    } else this.mark();
  }

  row({ mouse, experiment, rig, problems }) {
    const verdict = problems.length ? `✕ ${problems.length} problem${problems.length === 1 ? "" : "s"}` : "✓ ready";
    const radio = element("input", { type: "radio", name: "mouse", value: mouse, id: `mouse-${mouse}` });
    radio.setAttribute("aria-label", mouse);
    radio.onchange = () => this.page.choose(mouse);
    return element("label", { className: "mouse" }, radio, element("b", { textContent: mouse }),
      element("span", { className: "hint", textContent: `${experiment || "no experiment"} on ${rig || "no rig"}` }),
      element("span", { className: "verdict", textContent: verdict, data: { ok: !problems.length } }),
      ...problems.map(({ key, text }) => element("span",
        { className: "what", textContent: key ? `${key}: ${text}` : text })));
  }

  filter() {
    const part = this.at("mice-filter").value.trim().toLowerCase();
    for (const label of this.at("mice-list").children) {
      label.hidden = !label.querySelector("b").textContent.toLowerCase().includes(part);
    }
  }

  // Shows the chosen mouse, and asks what is wrong with it.
  mark() {
    for (const radio of this.at("mice-list").querySelectorAll("input")) radio.checked = radio.value === this.page.mouse;
    const mouse = this.mice.find((each) => each.mouse === this.page.mouse);
    const own = new Option(mouse ? `its own: ${mouse.experiment}` : "–", "");
    const others = this.experiments.filter(({ section }) => section !== mouse?.experiment);
    const kept = mouse?.mouse === this.marked ? this.experiment.value : "";
    this.marked = mouse?.mouse;
    this.experiment.replaceChildren(own, ...others.map(({ section }) => new Option(section, section)));
    if (others.some(({ section }) => section === kept)) this.experiment.value = kept;
    this.experiment.disabled = !mouse;
    this.ask();
  }

  get mouse() {
    return this.mice.some(({ mouse }) => mouse === this.page.mouse) ? this.page.mouse : "";
  }

  async ask() {
    const { mouse } = this;
    const experiment = this.experiment.value;
    this.facts = null;
    this.problems = [];
    this.dispatchEvent(new Event("chosen"));
    if (mouse) {
      const query = experiment ? `?experiment=${encodeURIComponent(experiment)}` : "";
      const facts = await this.page.api(`mice/${encodeURIComponent(mouse)}${query}`)
        .catch(({ message }) => ({ problems: [{ key: null, text: message }] }));
      // Another one was chosen meanwhile.
      if (mouse !== this.mouse || experiment !== this.experiment.value) return;
      this.facts = facts;
      this.problems = facts.problems;
    }
    const chosen = experiment || this.mice.find((each) => each.mouse === mouse)?.experiment;
    this.about.textContent = this.experiments.find(({ section }) => section === chosen)?.about ?? "";
    this.dispatchEvent(new Event("chosen"));
  }

  // Whether what is wrong with the chosen mouse is not known yet.
  get asks() {
    return Boolean(this.mouse && !this.facts);
  }

  // Returns all that is wrong, the file's own troubles first.
  wrong() {
    return [...(this.general ?? []).map((text) => ({ key: null, text })), ...this.problems];
  }
}
