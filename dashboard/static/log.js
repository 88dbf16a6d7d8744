// What was said in a session: the newest events, warnings until somebody takes them away, and devices that are lost.

import { clock, element, leave } from "./dom.js";

const KEPT_EVENTS = 200;
const KEPT_WARNINGS = 100; // of those that nobody takes away, the newest
const SECONDS = new Set(["reward", "free_water"]);
const SIGNALS = new Set(["crossing", "threshold"]);
const WARNINGS = new Set(["warning", "calibration", "exposure", "output_error", "refused", "images_ended", "lost",
  "camera_lost", "camera_stuck", "sound_stuck", "licks_stuck", "pose_stuck", "underflow", "water_cut", "lines_low",
  "reports_lost", "board_closed", "line_taken_over", "ledger", "start_waits"]);
// Of what is waited for many times in a session, only the last of it is a warning.
const MILD = { start_waits: "too long" };

export class Log {
  // `list`: of the newest events; `warnings`: where those that stay are put; `alarm(text)`: tells of lost devices.
  constructor(list, warnings, alarm) {
    this.list = list;
    this.warnings = warnings;
    this.alarm = alarm;
    this.dismissed = new Set();
    this.clear("", {});
  }

  // `scale`, `unit`: of the signal, as it is shown.
  clear(live, { scale, unit }) {
    this.live = live;
    Object.assign(this, { scale, unit });
    this.lost = new Map();
    this.cards = new Map();
    this.list.replaceChildren();
    this.warnings.replaceChildren();
    this.alarm("");
  }

  // Takes events: [number, time_ns, kind, trial, detail].
  add(events, first_ns) {
    for (const [number, time_ns, kind, trial, detail] of events) {
      const time = first_ns === null ? "0:00" : clock((time_ns - first_ns) / 1e9);
      this.list.prepend(element("li", { data: { kind } }, element("time", { textContent: time }),
        element("b", { textContent: kind.replaceAll("_", " ") }),
        element("span", { textContent: trial ? `trial ${trial}` : "" }),
        element("span", { textContent: this.told(kind, detail) })));
      if (kind === "lost") this.lost.set(detail.split(":")[0], `${detail} (at ${time})`);
      if (kind === "back") this.lost.delete(detail.split(" after ")[0]);
      if (WARNINGS.has(kind) && detail.startsWith(MILD[kind] ?? "")) this.warn(number, time, kind, detail);
    }
    while (this.list.children.length > KEPT_EVENTS) this.list.lastChild.remove();
    if (events.length) this.alarm([...this.lost.values()].map((text) => `LOST ${text}`).join("; "));
  }

  // Returns a detail as it is read: numbers with their unit.
  told(kind, detail) {
    const number = Number(detail);
    if (!detail || !Number.isFinite(number)) return short(detail);
    if (SECONDS.has(kind)) return `${short(detail)} s open`;
    return SIGNALS.has(kind) ? `${+(number * this.scale).toPrecision(4)} ${this.unit}` : short(detail);
  }

  // Shows a warning; the same one again is counted.
  warn(number, time, kind, detail) {
    const key = `${kind} ${detail}`;
    const dismissed = `${this.live} ${number}`;
    if (this.dismissed.has(dismissed)) return;
    const known = this.cards.get(key);
    if (known) {
      known.numbers.push(dismissed);
      known.times.textContent = `${time} (${known.numbers.length} times)`;
      return;
    }
    const times = element("time", { textContent: time });
    const away = element("button", { type: "button", textContent: "Dismiss", aria: { label: `Dismiss: ${detail}` } });
    const said = ["warning", "lost"].includes(kind) ? detail : `${kind.replaceAll("_", " ")}: ${detail}`;
    const text = element("span", { textContent: said });
    const card = element("li", { data: { kind } }, element("b", { textContent: "⚠ " }), times, text, away);
    const made = { numbers: [dismissed], times };
    away.onclick = () => {
      made.numbers.forEach((each) => this.dismissed.add(each));
      this.cards.delete(key);
      const next = (card.nextElementSibling ?? card.previousElementSibling)?.querySelector("button");
      if (next) next.focus();
      else leave(card);
      card.remove();
    };
    this.cards.set(key, made);
    this.warnings.prepend(card);
    while (this.cards.size > KEPT_WARNINGS) {
      this.cards.delete(this.cards.keys().next().value);
      this.warnings.lastChild.remove();
    }
  }
}

// Returns a text with its numbers as people read them.
const short = (text) => text.replace(/\d+\.\d{5,}/g, (number) => `${+Number(number).toPrecision(4)}`);
