// The programs that pages have started: what the newest one says while it starts, and why one that was refused was.

import { element, whoever } from "./dom.js";

const NAMES = { run: "session", preview: "preview", flush: "flush", export: "export" };
const STOPPED = 130;
const ENDS = {
  0: "ended", 1: "ended with an error", 2: "was refused", 3: "failed", [STOPPED]: "was stopped",
};

// Tells "news" with each change of `jobs`, also of what they say.
export class Programs extends EventTarget {
  constructor(root, before, wire, page) {
    super();
    this.page = page;
    this.jobs = [];
    this.live = [];
    this.root = root;
    this.before = before;
    this.seen = null;
    this.newest = 0;
    this.begun = new Set();
    root.innerHTML = `<div class="program" hidden><p id="program" role="status"></p><pre id="program-said" tabindex="0"
      aria-label="What it says" hidden></pre><p id="program-cure" class="cure" hidden></p>
      <div class="acts"><button id="program-stop" type="button">Stop it</button>
      <button id="program-close" type="button">Close</button></div></div>`;
    this.at = (id) => root.querySelector(`#${id}`);
    this.at("program-stop").onclick = () => this.stop(this.shown);
    this.at("program-close").onclick = () => this.close(this.shown);
    wire.addEventListener("live", ({ detail }) => this.take(detail));
  }

  take({ live, jobs }) {
    this.live = live;
    this.jobs = jobs.filter(({ do: what }) => what !== "export");
    // A server that was started anew counts anew.
    const newest = Math.max(0, ...this.jobs.map(({ number }) => number));
    if (newest < this.newest) this.seen = null;
    this.newest = newest;
    const running = this.jobs.filter(({ code }) => code === null).map(liveName);
    this.begun = new Set(running.filter((name) => this.begun.has(name) || this.isLive(name)));
    // What had ended before this page was opened is no news.
    this.seen ??= Math.max(0, ...this.jobs.filter(({ code }) => code !== null).map(({ number }) => number));
    this.show();
    this.dispatchEvent(new Event("news"));
  }

  running(what) {
    return this.jobs.find((job) => job.do === what && job.code === null);
  }

  isLive(name) {
    return this.live.some((each) => each.name === name);
  }

  // Tells whether its frames are over, and it writes what is left.
  finishes(job) {
    return this.begun.has(liveName(job)) && !this.isLive(liveName(job));
  }

  // What has ended, and was told otherwise, is told no more.
  close(job) {
    this.seen = Math.max(this.seen, job.number);
    this.show();
  }

  async start(body) {
    const { job } = await this.page.api("jobs", body);
    this.take({ live: this.live, jobs: [...this.jobs.filter(({ number }) => number !== job.number), job] });
    return job;
  }

  async stop(job) {
    try {
      await this.page.api(`jobs/${job.number}/stop`, { who: whoever() });
      this.page.say(`${NAMES[job.do]} of ${job.subject}: told to stop`);
      return true;
    } catch (error) {
      this.page.say(`the ${NAMES[job.do]} of ${job.subject} was not told to stop: ${error.message}`, false);
      return false;
    }
  }

  show() {
    const job = this.jobs[this.jobs.length - 1];
    this.shown = job;
    const box = this.root.firstElementChild;
    const live = job ? this.isLive(liveName(job)) : false;
    // A flush and a session that runs are shown by what is there for them.
    const elsewhere = job?.code === null && (job.do === "flush" || (job.do === "run" && live));
    box.hidden = !job || job.number <= this.seen || elsewhere;
    this.list();
    if (box.hidden) return;
    const lines = job.said.split("\n").filter(Boolean);
    const good = fine(job);
    box.dataset.ok = good;
    this.at("program").dataset.ok = good;
    this.say("program", `${told(job, live, this.finishes(job))}${job.code === null && !live && !job.stops.length ? " …" : ""}`);
    const said = job.code === null ? lines.slice(-1) : job.do === "preview" && good ? [] : lines;
    this.say("program-said", live && job.code === null ? "" : said.join("\n"));
    this.say("program-cure", good ? "" : cureOf(job.said));
    this.at("program-stop").hidden = job.code !== null;
    this.at("program-stop").textContent = job.do === "preview" ? "End the preview" : "Stop it";
    this.at("program-close").hidden = job.code === null;
  }

  list() {
    const shown = this.root.firstElementChild.hidden ? null : this.shown;
    const before = this.jobs.filter((job) => job.code !== null && job !== shown).reverse();
    this.before.hidden = !before.length;
    this.before.querySelector("ol").replaceChildren(...before.map((job) => element("li", {},
      element("span", { textContent: told(job, false), data: { ok: fine(job) } }),
      ...saidOf(job))));
  }

  // A text that has not changed is not said anew by a screen reader.
  say(id, text) {
    this.at(id).hidden = !text;
    if (this.at(id).textContent !== text) this.at(id).textContent = text;
  }
}

// Returns what is worth reading of one that has ended: why it was refused, or how much a flush gave.
function saidOf(job) {
  if (fine(job) && job.do !== "flush") return [];
  return [element("pre", { textContent: fine(job) ? job.said.split("\n").pop() : job.said })];
}

// Returns the name under which what a program does is looked at.
export const liveName = ({ do: what, pid }) => `${what === "run" ? "session" : what}-${pid}`;

// Tells whether a program has ended as it should, or goes on.
export const fine = ({ code, stops }) => code === null || code === 0 || code === STOPPED || stops.length > 0;

function told({ do: what, subject, who, code, stops }, live, finishes = false) {
  const name = `The ${NAMES[what]} of ${subject}`;
  if (code === null) {
    if (stops.length) return `${name} ends, stopped by ${stops.join(", ")} …`;
    if (finishes) return what === "run" ? `${name} is over, and writes what is left` : `${name} is over`;
    return live ? `${name} runs, started by ${who}` : `${name} is starting, for ${who}`;
  }
  if (stops.length) return `${name} was stopped by ${stops.join(", ")}`;
  if (code < 0) return `${name} was killed by signal ${-code}`;
  return `${name} ${ENDS[code] ?? "ended"}${fine({ code, stops }) ? "" : ` (exit code ${code})`}`;
}

// What a program says is for a terminal; where its cure is an option, this page has a place for it.
export const tooDarkOrBright = (said) => said.includes("--accept-exposure");

function cureOf(said) {
  if (tooDarkOrBright(said)) return "Mend it in the Place tab, or tick “run although the exposure is bad” below.";
  if (said.includes("--resume")) return "Start it without “go on with today's session”.";
  return "";
}
