// Elements that the panels of the Place tab are made of.

import { element } from "./dom.js";

// Shows a number in a field; one in which somebody writes is left alone.
export function showNumber(input, value) {
  if (input === document.activeElement) return;
  input.value = value;
  input.removeAttribute("aria-invalid");
}

export const cell = (tag, textContent, className = "") => element(tag, { textContent, className });

// Returns a field for a number: {id, label, unit, value, step, least, set(value), tell(what is wrong, or "")}.
export function numberField({ id, label, unit, value = 0, step, least = null, set, tell = () => {} }) {
  const input = Object.assign(document.createElement("input"), { id, type: "number", step: "any", value });
  input.setAttribute("aria-label", `${label}, ${unit}`);
  if (least !== null) input.min = least;
  // "any" takes every number, but then the arrow keys step by 1.
  input.onkeydown = (event) => {
    const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!sign) return;
    event.preventDefault();
    input.value = Math.round((Number(input.value) + sign * step * (event.shiftKey ? 10 : 1)) * 1e6) / 1e6;
    input.onchange();
  };
  input.onchange = () => {
    const number = input.valueAsNumber;
    const fits = Number.isFinite(number) && !input.validity.rangeUnderflow;
    input.setAttribute("aria-invalid", !fits);
    tell(fits ? "" : `${input.value || "no number"}: give ${least === null ? "a number" : `${least} or more`}`);
    if (fits) set(number);
  };
  return input;
}

// Returns it with its label and unit beside it.
export function field(row) {
  const box = cell("label", "", "place-number");
  const problem = cell("p", "", "error");
  problem.setAttribute("role", "alert");
  const tell = (text) => { problem.textContent = text; };
  box.append(cell("span", row.label), numberField({ ...row, tell }), cell("small", row.unit), problem);
  return box;
}
