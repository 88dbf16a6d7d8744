// Opening a rig's valve for a while, to fill or clean its tube; and, wherever that was begun, the way to end it.

import { element, leave, typing } from "./dom.js";
import { fine } from "./run_programs.js";

const CARD = `
<form id="flush" class="card"><h2>Flush</h2>
  <p>Fill or clean the tube of <b id="flush-rig">the rig</b>: its valve opens. No mouse is charged with the water; put a
    cup under the spout.</p>
  <div class="acts"><label>For <input id="flush-seconds" type="number" required min="0.1" step="any" value="5"
    aria-label="Seconds of flushing"> s</label>
    <button id="flush-start">Start flush</button></div>
  <p id="flush-why" class="hint"></p>
</form>`;

export class Flush {
  constructor(root, programs, choose, wire, page) {
    this.programs = programs;
    this.choose = choose;
    this.page = page;
    root.innerHTML = CARD;
    this.at = (id) => root.querySelector(`#${id}`);
    this.job = null;
    this.bar = this.makeBar();
    this.at("flush").onsubmit = (event) => {
      event.preventDefault();
      this.start();
    };
    document.addEventListener("keydown", (event) => this.key(event), true);
    // Only to be listed: what stops water must act whatever has the focus.
    if (page.role === "operator") page.shortcut(null, "Escape", "close the valve, while it is flushed", () => false);
    programs.addEventListener("news", () => this.follow());
    wire.addEventListener("closed", () => {
      const text = "No connection to the rig: the flush ends by itself. Does water run? Go there!";
      if (this.job) this.left.textContent = text;
    });
    choose.addEventListener("chosen", () => this.enable());
  }

  // The bar stands above every tab, as the one who has to stop it may look at any.
  makeBar() {
    this.left = element("span", { id: "flush-left", role: "timer" });
    this.button = element("button", { id: "flush-stop", type: "button" });
    this.button.append("STOP ", element("kbd", { textContent: "Space" }), " ", element("kbd", { textContent: "Esc" }));
    this.button.onclick = () => this.stop();
    const bar = element("div", { id: "flush-bar", role: "region", hidden: true, aria: { label: "Flush" } }, this.left);
    if (this.page.role === "operator") bar.append(this.button);
    document.querySelector("header").after(bar);
    return bar;
  }

  enable() {
    const { facts, mouse } = this.choose;
    const busy = this.programs.jobs.find(({ code }) => code === null);
    const most = facts?.max_flush_s ?? 120;
    this.at("flush-seconds").max = most;
    this.at("flush-rig").textContent = facts?.rig || "the rig";
    this.at("flush-start").disabled = !mouse || Boolean(busy);
    this.at("flush-why").textContent = !mouse ? "Choose a mouse of this rig first."
      : busy ? `Not while a ${busy.do === "run" ? "session" : busy.do} of ${busy.subject} runs.`
        : `At most ${most} s at a time.`;
  }

  async start() {
    const who = this.page.who();
    if (!who) return;
    const seconds = Number(this.at("flush-seconds").value);
    this.at("flush-start").disabled = true;
    try {
      await this.programs.start({ do: "flush", who, mouse: this.choose.mouse, seconds });
    } catch (error) {
      this.page.say(error.message, false);
    }
    this.enable();
  }

  // Shows what runs, and says what came out when it has ended.
  follow() {
    const job = this.programs.running("flush");
    this.enable();
    if (job) {
      const began = !this.job;
      this.job = job;
      this.bar.hidden = false;
      const [, left] = [...job.said.matchAll(/(\d+) s left/g)].pop() ?? [];
      const doing = job.stops.length ? `stopped by ${job.stops.join(", ")}, closing the valve …`
        : left === undefined ? "opening the valve …" : `${left} s left`;
      const text = `Flush of ${job.subject} (${job.who}): ${doing}`;
      if (this.left.textContent !== text) this.left.textContent = text;
      if (began) this.page.say(`${job.who} flushes the tube of ${job.subject}'s rig`);
      if (began && this.page.role === "operator") this.button.focus();
      return;
    }
    if (!this.job) return;
    const ended = this.programs.jobs.find(({ number }) => number === this.job.number);
    this.job = null;
    leave(this.bar);
    this.bar.hidden = true;
    this.page.say(ended?.said.split("\n").pop() || "the flush has ended", !ended || fine(ended));
    if (ended && fine(ended)) this.programs.close(ended);
  }

  key(event) {
    if (!this.job || event.repeat || this.page.role !== "operator") return;
    const stops = event.key === "Escape" || (event.key === " " && !typing(event));
    if (!stops) return;
    event.preventDefault();
    event.stopPropagation();
    this.stop();
  }

  async stop() {
    if (!await this.programs.stop(this.job)) this.left.textContent = "STOP did not arrive: close the valve at the rig!";
  }
}
