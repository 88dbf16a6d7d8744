// The counters of the Watch tab: state, trial, success, water, signal, tone, as a session or preview tells them.

import { clock, microlitres } from "./dom.js";

const SPOKEN = ["paused", "waits"]; // states that whoever listens to the page is told of

export class Counters {
  constructor(root) {
    this.root = root;
    this.at = (id) => root.querySelector(`#${id}`);
  }

  begin(about) {
    this.about = about;
    const percent = about.kind === "clnf";
    this.scale = percent ? 100 : 1;
    const target = about.settings.reward_by === "target";
    this.unit = percent ? "% dF/F" : target ? "mm" : "mm/s";
    this.meaning = target ? "minus mm to target" : this.unit;
    this.set("signal-unit", `signal, ${this.meaning}`);
    this.set("threshold-unit", `threshold, ${this.unit}`);
  }

  // Takes the status and the newest rows. Returns the state if it is one to be told of, else "".
  update(status, table) {
    const last = table.signal.length - 1;
    this.set("time", clock(status.time_s));
    if (last >= 0) {
      this.set("tone", table.freq_hz[last] ? table.freq_hz[last].toFixed(0) : "silent");
      this.set("signal", rounded(table.signal[last] * this.scale));
    }
    if (!status.phase) return "";
    const [phase, before] = [status.waits ? "waits" : status.phase, this.root.dataset.phase];
    this.root.dataset.phase = phase;
    this.set("phase", phase);
    this.set("phase-unit", "state");
    if (phase === "preview") this.set("fps", rounded(status.fps ?? NaN));
    else this.count(status);
    return phase !== before && [phase, before].some((each) => SPOKEN.includes(each)) ? phase : "";
  }

  count(status) {
    const { goal } = this.about;
    const done = status.successes + status.fails;
    this.set("trial", goal.trials ? `${status.trial}` : "–");
    this.set("trial-unit", goal.trials ? `trial of ${goal.trials}` : "no trials");
    this.set("success", goal.trials ? `${status.successes}` : "–");
    this.set("success-unit", done ? `success, ${Math.round(100 * status.successes / done)} %` : "success");
    this.set("threshold", rounded((status.threshold ?? NaN) * this.scale));
    const [amount, unit] = waterOf(this.about, status.drops);
    this.set("water", amount);
    this.set("water-unit", unit);
  }

  end(outcome) {
    this.root.dataset.phase = "over";
    this.set("phase", outcome.replaceAll("_", " "));
    this.set("phase-unit", "ended");
  }

  set(id, text) {
    if (this.at(id).textContent !== text) this.at(id).textContent = text;
  }
}

function rounded(value) {
  if (!Number.isFinite(value)) return "–";
  return value.toFixed(Math.abs(value) < 100 ? 1 : 0).replace(/^-(0\.0)$/, "$1");
}

// Returns the water of this session and, where it is counted, of the mouse's day.
function waterOf({ settings, water }, drops) {
  const ul = Number(settings.reward_ul);
  const seconds = Number(settings.reward_dur);
  const told = (n) => (ul > 0 ? microlitres(n * ul) : (n * seconds).toFixed(1));
  const unit = ul > 0 ? "µl" : "s";
  const open = ul > 0 ? unit : "s open";
  const had = water.had_s;
  const today = Number.isFinite(had) ? `, today ${told(drops + had / seconds)} ${unit}` : "";
  return [told(drops), `${open} in ${drops} drop${drops === 1 ? "" : "s"}${today}`];
}
