// The button that starts a preview of the mouse, shows one that runs, or ends it.

export class Preview {
  constructor(button, picture, wire, page) {
    Object.assign(this, { button, picture, wire, page });
    this.jobs = [];
    // The preview that was started here, and whether its picture is still to be shown.
    this.mine = null;
    this.wanted = false;
    // Whether it shows what was saved since it began; who wants it to begin anew.
    this.stale = false;
    this.again = "";
    button.onclick = () => this.press();
    picture.addEventListener("change", () => this.show());
    wire.addEventListener("live", ({ detail: { jobs } }) => this.take(jobs ?? []));
    wire.addEventListener("closed", () => this.show());
  }

  // Takes the programs that the page runs.
  take(jobs) {
    this.jobs = jobs;
    const job = jobs.find(({ number }) => number === this.mine);
    if (job && job.code !== null) {
      this.mine = null;
      if (job.code) this.page.say(`The preview ended with code ${job.code}: ${lastLine(job.said)}`, false);
    }
    if (!this.picture.running && this.again) this.start(this.again).catch((error) => this.fail(error));
    this.look();
    this.show();
  }

  // Shows the picture of what was started here, once it is there.
  look() {
    const { running } = this.picture;
    if (!running || !this.wanted) return;
    this.wanted = false;
    // The list of sessions in the page's head takes the same message.
    setTimeout(() => look(running.name));
  }

  get state() {
    const { running, live, mouse } = this.picture;
    if (!mouse) return "none";
    if (!running) return this.mine === null ? "start" : "starting";
    if (!live) return "look";
    if (running.what !== "preview") return "session";
    return this.stale ? "restart" : "stop";
  }

  // What was saved holds from the next preview on.
  saved() {
    this.stale = this.state === "stop" || this.state === "restart";
    this.show();
  }

  fail(error) {
    this.mine = null;
    this.again = "";
    this.page.say(error.message, false);
    this.show();
  }

  show() {
    const texts = {
      none: "Start preview", start: "Start preview", starting: "Preview starts …", look: "Show the live picture",
      stop: "Stop preview", restart: "Restart preview", session: "A session runs",
    };
    this.button.textContent = texts[this.state];
    this.button.disabled = ["none", "starting", "session"].includes(this.state);
  }

  async press() {
    const { state } = this;
    if (state === "look") {
      look(this.picture.running.name);
      return;
    }
    const who = this.page.who();
    if (!who) return;
    try {
      if (state === "start") await this.start(who);
      else if (state === "stop") await this.stop(who);
      else if (state === "restart") {
        this.again = who;
        await this.stop(who);
      }
      this.show();
    } catch (error) {
      this.fail(error);
    }
  }

  async start(who) {
    const { mouse } = this.picture.mouse;
    this.again = "";
    this.stale = false;
    const { job } = await this.page.api("jobs", { do: "preview", who, mouse, experiment: "" });
    this.mine = job.number;
    this.wanted = true;
    this.page.say(`The preview of ${mouse} starts`);
    this.look();
  }

  async stop(who) {
    const { running } = this.picture;
    const job = this.jobs.find(({ pid, code }) => code === null && running.name.endsWith(`-${pid}`));
    this.mine = null;
    if (job) await this.page.api(`jobs/${job.number}/stop`, { who });
    else {
      const { ok, text } = await this.wire.ask("stop_now", who);
      this.page.say(text, ok);
    }
  }
}

function look(name) {
  const select = document.getElementById("live");
  if (![...select.options].some(({ value }) => value === name)) return;
  select.value = name;
  select.onchange();
}

const lastLine = (text) => text.trim().split("\n").at(-1);
