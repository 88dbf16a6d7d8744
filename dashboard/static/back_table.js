// The table of sessions: a page of it at a time, by mouse and by keyboard.

import { percent, threshold, water, when } from "./back_text.js";
import { element } from "./dom.js";

const ROWS = 50;
// Heading, how its cell is made, and whether a narrow screen does without.
const COLUMNS = [
  ["Mouse", (each) => each.mouse, false],
  ["Experiment", (each) => each.experiment, true],
  ["Trials", (each) => each.trials ?? "", true],
  ["Success", (each) => percent(each.successes, each.trials), false],
  ["Threshold", (each) => threshold(each.threshold, each.threshold_unit), true],
  ["Water", (each) => water(each), true],
  ["Weight", (each) => (each.weight_g === null ? "" : `${each.weight_g.toFixed(1)} g`), true],
  ["Rig", (each) => each.rig, true],
  ["Outcome", (each) => outcome(each), false],
];
const NUMBERS = new Set(["Trials", "Success", "Threshold", "Water", "Weight"]);

function outcome({ outcome: how, format }) {
  if (how === "running") return "▶ runs now";
  if (["killed", "damaged", "failed", "killed before it began"].includes(how)) return `⚠ ${how}`;
  return how || (format === "clopy" ? "not recorded" : "unknown");
}

export class Table {
  // `open` is called with the key of the session that was chosen.
  constructor(root, open) {
    this.root = root;
    this.open = open;
    this.sessions = [];
    this.from = 0;
    this.chosen = 0;
    this.body = element("tbody");
    this.table = element("table", { aria: { label: "Sessions, newest first" } });
    const head = element("tr");
    head.append(element("th", { scope: "col" }, "Began"), ...COLUMNS.map(([name, , wide]) => {
      const cell = element("th", { scope: "col" }, name);
      dress(cell, name, wide);
      return cell;
    }));
    this.table.append(element("thead", {}, head), this.body);
    this.pages();
    root.append(this.table, this.turn);
    this.table.onkeydown = (event) => this.key(event);
  }

  pages() {
    this.turn = element("div", { className: "back-pages", role: "group", aria: { label: "Pages of the list" } });
    this.newer = element("button", { type: "button" }, "‹ Newer");
    this.older = element("button", { type: "button" }, "Older ›");
    this.place = element("span", { role: "status" });
    this.newer.onclick = () => this.page(-1);
    this.older.onclick = () => this.page(1);
    this.turn.append(this.newer, this.place, this.older);
  }

  first() {
    this.from = this.chosen = 0;
  }

  show(sessions) {
    const key = this.sessions[this.chosen]?.key;
    this.sessions = sessions;
    this.chosen = Math.max(0, sessions.findIndex((each) => each.key === key));
    this.from = Math.floor(this.chosen / ROWS) * ROWS;
    this.draw();
  }

  draw() {
    const rows = this.sessions.slice(this.from, this.from + ROWS).map((each, at) => this.row(each, this.from + at));
    if (!rows.length) {
      const nothing = { colSpan: COLUMNS.length + 1, className: "back-quiet" };
      rows.push(element("tr", {}, element("td", nothing, "No session that fits")));
    }
    // A list that is read again must not take the focus away from whom it guides.
    const focused = this.body.contains(document.activeElement);
    this.body.replaceChildren(...rows);
    if (focused) this.focus();
    const n = this.sessions.length;
    this.turn.hidden = n <= ROWS;
    this.place.textContent = `${this.from + 1} to ${Math.min(n, this.from + ROWS)} of ${n}`;
    this.newer.disabled = this.from === 0;
    this.older.disabled = this.from + ROWS >= n;
  }

  row(session, at) {
    const row = element("tr");
    if (session.hint) row.dataset.needs = "";
    const open = element("button", { type: "button", className: "back-link" }, when(session));
    open.tabIndex = at === this.chosen ? 0 : -1;
    open.onclick = () => {
      this.chosen = at;
      this.open(session.key);
    };
    const first = element("th", { scope: "row" }, open);
    if (session.part > 1) first.append(` part ${session.part}`);
    row.append(first, ...COLUMNS.map(([name, text, wide]) => {
      const cell = element("td", {}, text(session));
      dress(cell, name, wide);
      return cell;
    }));
    row.onclick = (event) => { if (event.target !== open) open.click(); };
    return row;
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: ROWS, PageUp: -ROWS, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || !this.sessions.length) return;
    event.preventDefault();
    this.go(this.chosen + step);
    this.focus();
  }

  go(to) {
    this.chosen = Math.min(Math.max(0, to), this.sessions.length - 1);
    this.from = Math.floor(this.chosen / ROWS) * ROWS;
    this.draw();
  }

  page(by) {
    this.go(this.from + by * ROWS);
    this.table.scrollIntoView({ block: "nearest" });
  }

  focus() {
    this.body.querySelector("button[tabindex='0']")?.focus();
  }

  // Moves to the next older (1) or newer (-1) session; returns its key, null at the end.
  step(by) {
    const next = this.chosen + by;
    if (next < 0 || next >= this.sessions.length) return null;
    this.go(next);
    return this.sessions[next].key;
  }
}

function dress(cell, name, wide) {
  if (NUMBERS.has(name)) cell.classList.add("back-number");
  if (wide) cell.classList.add("back-wide");
}
