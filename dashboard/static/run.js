// The Run tab: choosing mouse and experiment, starting a preview or session, intervening, flushing the tube.

import { element } from "./dom.js";
import { Choose } from "./run_choose.js";
import { Flush } from "./run_flush.js";
import { Live } from "./run_live.js";
import { Programs, tooDarkOrBright } from "./run_programs.js";

const HTML = `
<div id="run-programs"></div>
<div id="run-live"></div>
<div id="run-over" class="card" hidden><h2 id="run-over-title"></h2><pre id="run-over-text" tabindex="0"></pre></div>
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
<p class="hint">At a terminal: <code>rigloop doctor</code> looks at a rig's parts, <code>rigloop calibrate</code> measures
  its valve and speaker, <code>rigloop weigh</code> writes down a weight.</p>`;

export class Run {
  constructor(root, wire, page) {
    this.page = page;
    this.wire = wire;
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#${id}`);
    this.programs = new Programs(this.at("run-programs"), wire, page);
    this.choose = new Choose(this.at("run-choose"), page, this.at("experiment"), this.at("experiment-about"));
    new Live(this.at("run-live"), wire, page, page.controls);
    new Flush(this.at("run-flush"), this.programs, this.choose, page);
    this.choose.addEventListener("chosen", () => {
      this.at("accept-exposure").checked = false;
      this.at("accept-exposure-box").hidden = true;
      this.show();
    });
    this.programs.addEventListener("news", () => this.show());
    wire.addEventListener("hello", () => { this.at("run-over").hidden = true; });
    wire.addEventListener("end", ({ detail }) => this.end(detail));
    this.at("begin").onsubmit = (event) => {
      event.preventDefault();
      this.start("run");
    };
    this.at("preview").onclick = () => this.start("preview");
    this.choose.read();
  }

  // Shows what is wrong with the choice, and whether it can be begun.
  show() {
    const { mouse } = this.choose;
    const wrong = this.choose.wrong();
    this.at("begin-mouse").textContent = mouse || "–";
    this.at("problems").replaceChildren(...wrong.map(({ key, text }) => element("li", {},
      ...(key ? [element("code", { textContent: key }), " "] : []), text)));
    const busy = this.programs.running("run") ?? this.programs.running("flush");
    const refused = this.programs.jobs.filter((job) => job.do === "run" && job.subject === mouse).pop();
    if (refused?.code && tooDarkOrBright(refused.said)) this.at("accept-exposure-box").hidden = false;
    const why = busy ? `A ${busy.do === "run" ? "session" : "flush"} of ${busy.subject} runs: end it first.`
      : !mouse ? "Choose a mouse." : wrong.length ? "Mend what is wrong first, in config.ini or in the Place tab." : "";
    this.at("begin-why").textContent = why;
    this.at("preview").disabled = this.at("start").disabled = Boolean(why);
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
    this.at("preview").disabled = this.at("start").disabled = true;
    try {
      await this.programs.start(body);
      this.page.say(`${what === "run" ? "session" : "preview"} of ${mouse}: starting`);
      this.at("resume").checked = false;
    } catch (error) {
      this.page.say(error.message, false);
    }
    this.show();
  }

  end({ outcome, text }) {
    if (outcome === "preview" || !outcome) return;
    this.at("run-over").hidden = false;
    this.at("run-over-title").textContent = `The session is over: ${outcome.replaceAll("_", " ")}`;
    this.at("run-over-text").textContent = text;
  }
}
