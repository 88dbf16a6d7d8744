// What people asked of a session, from its events: who, when, and what came of it. No part of the page.

const RESULT = { note: "note", set: "set", set_threshold: "threshold", free_water: "free_water" };

export class Operators {
  constructor() {
    this.clear();
  }

  clear() {
    this.all = [];
    this.stamp = 0;
    this.last = 0;
    this.open = null;
  }

  // Takes events [number, time_ns, kind, trial, detail]. An "operator" comes first, then what came of it. Events that
  // were seen before are passed over. `stamp` counts those that were a person's.
  take(events, first_ns) {
    for (const [number, time_ns, kind, trial, detail] of events) {
      if (number <= this.last) continue;
      this.last = number;
      if (kind === "operator") {
        const [, what, who] = detail.match(/^(\S+)\s*(.*)$/);
        this.open = { seconds: (time_ns - first_ns) / 1e9, what, who, trial, text: "", refused: false };
        this.all.push(this.open);
        this.stamp += 1;
      } else if (this.open && (kind === RESULT[this.open.what] || kind === "refused")) {
        this.open.text = detail;
        this.open.refused = kind === "refused";
        this.open = null;
        this.stamp += 1;
      }
    }
  }

  notes() {
    return this.all.filter(({ what }) => what === "note");
  }

  // Returns the newest change of each key, as {value, who, seconds}.
  changes(thresholdKey) {
    const newest = {};
    for (const { what, who, seconds, text, refused } of this.all) {
      if (refused || !text) continue;
      if (what === "set") {
        const [key, value] = text.split("=").map((part) => part.trim());
        newest[key] = { value, who, seconds };
      } else if (what === "set_threshold") newest[thresholdKey] = { value: text, who, seconds };
    }
    return newest;
  }
}
