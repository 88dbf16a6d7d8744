// A session as NWB: has it made by the rig, shows how far that is, and takes the file.

import { bytes } from "./back_text.js";
import { element } from "./dom.js";

const LOOK_MS = 700;
const LACKS = "--allow-incomplete";
const BUSY = "A session runs on this computer, whose processor and disk this would take: better wait for its end.";

export class Nwb {
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.shown = 0;
    // Whether a session runs; and whether that was said.
    this.busy = this.warned = false;
    this.text = element("p", { role: "status" });
    this.bar = element("progress", { max: 100 });
    this.make = element("button", { type: "button" });
    this.anyway = element("button", { type: "button" }, "Make it without them");
    this.stop = element("button", { type: "button" }, "Stop");
    this.take = element("a", { className: "button primary", download: "" });
    this.make.onclick = () => this.begin(false);
    this.anyway.onclick = () => this.begin(true);
    const bar = element("div", { className: "back-bar" }, this.take, this.make, this.anyway, this.stop);
    root.append(element("h2", {}, "To share: NWB"), this.bar, this.text, bar);
  }

  clear() {
    this.shown += 1;
    this.root.hidden = true;
  }

  // `found` is the session's report, `address` where it came from.
  async show(found, address) {
    const shown = ++this.shown;
    this.address = address;
    this.session = found.session;
    this.warned = false;
    this.root.hidden = false;
    this.kept = found.kind === "clmf" ? `Its video is not in it: copy that from ${found.folder} beside it.` : "";
    this.idle(found.nwb);
    const own = ({ do: what, subject, code }) => what === "export" && subject === this.session && code === null;
    await this.guarded(shown, async () => {
      const job = (await this.page.api("state")).jobs.find(own);
      if (job && shown === this.shown) await this.follow(job.number, shown);
    });
  }

  // Does something that may fail, and says so where it is still wanted.
  async guarded(shown, does) {
    try {
      await does();
    } catch (error) {
      if (shown === this.shown) this.idle(this.size, error.message);
    }
  }

  // Shows what there is: a file of `size` bytes, or none.
  idle(size, said = "", lacks = false) {
    const operator = this.page.role === "operator";
    this.size = size;
    this.bar.hidden = this.stop.hidden = true;
    this.take.hidden = size === null;
    this.take.href = `api/${this.address}/nwb`;
    if (size !== null) this.take.textContent = `Download NWB (${bytes(size)})`;
    this.make.hidden = !operator;
    this.make.textContent = size === null ? "Make the NWB file" : "Make it anew";
    this.anyway.hidden = !(operator && lacks);
    const none = `There is none yet${operator ? "" : "; who has the operator's token can make it"}.`;
    if (said) this.say(said);
    else this.say(size === null ? none : this.kept, true);
  }

  say(text, well = false) {
    this.text.textContent = text;
    this.text.dataset.ok = well ? "" : "false";
  }

  async begin(anyway) {
    const who = this.page.who();
    if (!who) return;
    if (this.busy && !this.warned) {
      this.warned = true;
      this.say(BUSY);
      this.make.textContent = "Make it all the same";
      return;
    }
    const shown = this.shown;
    await this.guarded(shown, async () => {
      const { job } = await this.page.api(`${this.address}/nwb`, { who, allow_incomplete: anyway });
      this.size = null;
      if (shown === this.shown) await this.follow(job.number, shown, true);
    });
  }

  // Shows how far the program is until it has ended; `mine`: the file is then taken.
  async follow(number, shown, mine = false) {
    this.bar.hidden = false;
    this.take.hidden = this.make.hidden = this.anyway.hidden = true;
    this.stop.hidden = this.page.role !== "operator";
    this.stop.onclick = () => this.end(number);
    for (;;) {
      const { jobs } = await this.page.api("state");
      if (shown !== this.shown) return;
      const job = jobs.find((each) => each.number === number);
      if (!job || job.code !== null) return void await this.ended(job, shown, mine);
      this.progress(job.said);
      await new Promise((over) => { setTimeout(over, LOOK_MS); });
    }
  }

  progress(said) {
    const line = said.split("\n").at(-1);
    const done = /(\d+)%\|/.exec(line);
    if (done) this.bar.value = Number(done[1]);
    else this.bar.removeAttribute("value");
    const counts = /(\d+)\/(\d+) \[/.exec(line);
    this.say(counts ? `${counts[1]} of ${counts[2]} images` : "reading the session …", true);
  }

  async ended(job, shown, mine) {
    const { nwb } = await this.page.api(this.address);
    if (shown !== this.shown) return;
    const failed = job && job.code !== 0;
    const said = failed ? job.said.split("\n").filter((line) => !/%\|/.test(line)).at(-1) ?? "" : "";
    this.idle(nwb, failed ? said || `it was stopped (${job.code})` : "", said.includes(LACKS));
    if (!failed && mine && nwb !== null) this.take.click();
  }

  async end(number) {
    const who = this.page.who();
    if (!who) return;
    try {
      await this.page.api(`jobs/${number}/stop`, { who });
    } catch (error) {
      this.page.say(error.message, false);
    }
  }
}
