// The Run tab: choosing mouse and experiment, starting a preview or session, intervening, flushing the tube.

import { element, leave } from "./dom.js";
import { Choose } from "./run_choose.js";
import { Flush } from "./run_flush.js";
import { Live } from "./run_live.js";
import { liveName, Programs, tooDarkOrBright } from "./run_programs.js";

const HTML = `
<div id="run-programs"></div>
<div id="run-over" class="card" hidden><h2 id="run-over-title"></h2>
  <pre id="run-over-text" tabindex="0" aria-label="What it came to"></pre>
  <div class="acts"><button id="run-over-back" type="button">Look back</button>
    <button id="run-over-close" type="button">Close</button></div></div>
<div id="run-live"></div>
<div class="run-begin">
  <div id="run-choose"></div>
  <form id="begin" class="card"><h2>Session of <span id="begin-mouse">–</span></h2>
    <label class="wide">Experiment <select id="experiment" disabled></select></label>
    <p id="experiment-about" class="hint"></p>
    <ul id="problems" aria-label="What is wrong"></ul>
    <label class="check"><input type="checkbox" id="resume"> Go on with today's session, which was cut short</label>
    <label class="check" id="accept-exposure-box" hidden><input type="checkbox" id="accept-exposure"> Run although the
      exposure is bad</label>
    <div class="acts big"><button id="preview" type="button">Preview</button>
      <button id="start" class="primary">Start session</button></div>
    <p id="begin-why" class="hint" role="status"></p>
  </form>
  <div id="run-flush"></div>
</div>
<details id="programs-before" hidden><summary>What was started before</summary><ol></ol></details>
<p class="hint">At a terminal: <code>rigloop doctor</code> looks at a rig's parts, <code>rigloop calibrate</code>
  measures its valve and speaker, <code>rigloop weigh</code> writes down a weight.</p>`;

const READS = "Reads what is set for this mouse …";

export class Run {
  constructor(root, wire, page) {
    this.page = page;
    this.wire = wire;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#${id}`);
    this.programs = new Programs(this.at("run-programs"), this.at("programs-before"), wire, page);
    this.choose = new Choose(this.at("run-choose"), page, this.at("experiment"), this.at("experiment-about"));
    new Live(this.at("run-live"), wire, page, page.controls);
    new Flush(this.at("run-flush"), this.programs, this.choose, wire, page);
    this.choose.addEventListener("chosen", () => {
      this.at("accept-exposure").checked = false;
      this.at("accept-exposure-box").hidden = true;
      this.show();
    });
    this.programs.addEventListener("news", () => {
      this.show();
      // Once the list of sessions has it.
      queueMicrotask(() => this.lookAtOwn());
    });
    wire.addEventListener("end", ({ detail }) => this.end(detail));
    this.at("run-over-close").onclick = () => this.over("");
    this.at("run-over-back").onclick = () => document.getElementById("tab-back").click();
    document.addEventListener("tab", ({ detail }) => { if (detail === root.id) this.choose.read(); });
    this.at("begin").onsubmit = (event) => {
      event.preventDefault();
      this.start("run");
    };
    this.at("preview").onclick = () => this.start("preview");
  }

  // Shows what is wrong with the choice, and whether it can be begun.
  show() {
    const { mouse } = this.choose;
    const wrong = this.choose.wrong();
    this.at("begin-mouse").textContent = mouse || "–";
    this.at("problems").replaceChildren(...wrong.map(({ key, text }) => element("li", {},
      ...(key ? [element("code", { textContent: key }), " "] : []), text)));
    const refused = this.programs.jobs.filter((job) => job.do === "run" && job.subject === mouse).pop();
    if (refused?.code && tooDarkOrBright(refused.said)) this.at("accept-exposure-box").hidden = false;
    const mend = `Mend what is wrong first, in config.ini${mouse ? " or in the Place tab" : ""}.`;
    const why = this.taken() || (wrong.length ? mend : !mouse ? "Choose a mouse." : this.choose.asks ? READS : "");
    this.at("begin-why").textContent = why;
    if (why) leave(this.at("begin").querySelector(".acts"));
    this.at("preview").disabled = this.at("start").disabled = Boolean(why);
  }

  // Returns why the rig is not to be had: what this page started, or what else runs there.
  taken() {
    const busy = this.programs.running("run") ?? this.programs.running("flush");
    const over = busy && this.programs.finishes(busy);
    if (over) return `The session of ${busy.subject} is over, and writes what is left …`;
    if (busy) return `A ${busy.do === "run" ? "session" : "flush"} of ${busy.subject} runs: end it first.`;
    const own = this.programs.jobs.map(liveName);
    const other = this.programs.live.find(({ name, rig }) => rig === this.choose.facts?.rig && !own.includes(name));
    return other ? `A ${other.what} of ${other.mouse} runs on ${other.rig}: end it first.` : "";
  }

  // Looks at what this browser started, whatever else runs on this machine.
  lookAtOwn() {
    const select = document.getElementById("live");
    const name = this.started && liveName(this.started);
    if (![...select.options].some(({ value }) => value === name)) return;
    select.value = name;
    select.dispatchEvent(new Event("change"));
    this.started = null;
  }

  async start(what) {
    const who = this.page.who();
    const { mouse } = this.choose;
    if (!who || !mouse) return;
    const body = { do: what, who, mouse, experiment: this.at("experiment").value };
    if (what === "run") {
      body.resume = this.at("resume").checked;
      body.accept_exposure = this.at("accept-exposure").checked;
    }
    const pressed = document.activeElement;
    leave(this.at("begin").querySelector(".acts"));
    this.at("preview").disabled = this.at("start").disabled = true;
    try {
      this.started = await this.programs.start(body);
      this.lookAtOwn();
      this.page.say("");
      this.over("");
      this.at("resume").checked = false;
    } catch (error) {
      this.page.say(error.message, false);
    }
    this.show();
    if (!this.started && !pressed.disabled) pressed.focus();
  }

  end({ live, outcome, text }) {
    if (outcome === "preview" || !outcome) return;
    if (live.startsWith("preview")) return;
    this.over(`The session is over${outcome === "over" ? "" : `: ${outcome.replaceAll("_", " ")}`}`, text);
    const job = this.programs.jobs.find((each) => liveName(each) === live);
    if (job && !["failed", "lost"].includes(outcome)) this.programs.close(job);
  }

  over(title, text = "") {
    this.at("run-over").hidden = !title;
    this.at("run-over-title").textContent = title;
    this.at("run-over-text").textContent = text;
  }
}
