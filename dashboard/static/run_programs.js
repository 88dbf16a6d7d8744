// The programs that pages have started: what the newest one says while it starts, and why one that was refused was.

import { element, whoever } from "./dom.js";

const LOOK_MS = 400;
const NAMES = { run: "session", preview: "preview", flush: "flush", export: "export" };
const ENDS = {
  0: "ended", 1: "ended with an error", 2: "was refused", 3: "failed", 130: "was stopped",
};

// Tells "news" with each change of `jobs`.
export class Programs extends EventTarget {
  constructor(root, wire, page) {
    super();
    this.page = page;
    this.jobs = [];
    this.live = [];
    this.root = root;
    this.seen = 0;
    root.innerHTML = `<div class="program" hidden><p id="program" role="status"></p><pre id="program-said" tabindex="0"
      aria-label="What it says" hidden></pre><p id="program-cure" class="cure" hidden></p>
      <div class="acts"><button id="program-stop" type="button">Stop it</button>
      <button id="program-close" type="button">Close</button></div></div>`;
    this.at = (id) => root.querySelector(`#${id}`);
    this.at("program-stop").onclick = () => this.stop(this.shown);
    this.at("program-close").onclick = () => {
      this.seen = this.shown.number;
      this.show();
    };
    wire.addEventListener("live", ({ detail }) => this.take(detail));
  }

  take({ live, jobs }) {
    this.live = live;
    this.jobs = jobs.filter(({ do: what }) => what !== "export");
    this.show();
    this.dispatchEvent(new Event("news"));
    this.keepLooking();
  }

  running(what) {
    return this.jobs.find((job) => job.do === what && job.code === null);
  }

  // What a program says comes with no message: it is looked at while one starts or flushes.
  keepLooking() {
    if (this.looking || !this.jobs.some((job) => job.code === null && !this.isLive(job))) return;
    this.looking = setTimeout(async () => {
      try {
        const state = await this.page.api("state");
        this.looking = null;
        if (state.role) this.take(state);
      } catch {
        this.looking = null;
        this.keepLooking();
      }
    }, LOOK_MS);
  }

  isLive({ do: what, pid }) {
    return this.live.some(({ name }) => name === `${what === "run" ? "session" : what}-${pid}`);
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
    box.hidden = !job || job.number <= this.seen || (job.code === null && job.do === "flush");
    if (box.hidden) return;
    const lines = job.said.split("\n").filter(Boolean);
    const live = this.isLive(job);
    const good = job.code === null || job.code === 0 || job.stops.length > 0;
    box.dataset.ok = good;
    this.say("program", told(job, live, lines));
    this.at("program").dataset.ok = good;
    const said = job.code === null ? lines.slice(-1) : good && job.code === 0 && job.do === "preview" ? [] : lines;
    this.at("program-said").hidden = !said.length || (job.code === null && live);
    this.say("program-said", said.join("\n"));
    const cure = good ? "" : cureOf(job.said);
    this.say("program-cure", cure);
    this.at("program-cure").hidden = !cure;
    this.at("program-stop").hidden = job.code !== null || (job.do === "run" && live);
    this.at("program-stop").textContent = job.do === "preview" ? "End the preview" : "Stop it";
    this.at("program-close").hidden = job.code === null;
  }

  say(id, text) {
    if (this.at(id).textContent !== text) this.at(id).textContent = text;
  }
}

function told({ do: what, subject, who, code, stops }, live, lines) {
  const name = `The ${NAMES[what]} of ${subject}`;
  if (code === null) {
    if (stops.length) return `${name} ends: ${stops.join(", ")} stopped it …`;
    return live ? `${name} runs, started by ${who}` : `${name} is starting (${who}) …`;
  }
  const by = stops.length ? ` by ${stops.join(", ")}` : "";
  const how = code < 0 ? `was killed by signal ${-code}` : ENDS[code] ?? "ended";
  return `${name} ${how}${by}${code > 0 && !stops.length ? ` (exit code ${code})` : ""}${lines.length ? ":" : "."}`;
}

// What a program says is for a terminal; where its cure is an option, this page has a place for it.
export const tooDarkOrBright = (said) => said.includes("--accept-exposure");

function cureOf(said) {
  if (tooDarkOrBright(said)) return "Mend it in the Place tab with a preview, or tick “run although the exposure is bad”.";
  if (said.includes("--resume")) return "Tick “go on with today's session” to resume.";
  return "";
}
