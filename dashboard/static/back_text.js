// Numbers and times of sessions as text.

import { microlitres } from "./dom.js";

// When a session began, to the minute; what its folder says where that is no date.
export function when({ start_local: start, session }) {
  return start ? start.slice(0, 16).replace("T", " ") : session.split("/")[1];
}

export function percent(successes, trials) {
  return trials && successes !== null ? `${Math.round((100 * successes) / trials)} %` : "";
}

// A threshold with its unit; dF/F in %, as everywhere on the page.
export function threshold(value, unit) {
  if (value === null) return "";
  return unit === "dF/F" ? `${digits(100 * value)} % dF/F` : `${digits(value)} ${unit}`;
}

export function water({ water_ul: ul, water_s: s }) {
  if (ul !== null) return `${microlitres(ul)} µl`;
  return s === null ? "" : `${s.toFixed(1)} s`;
}

export function digits(value) {
  return String(Number(value.toPrecision(3)));
}

export function bytes(n) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const step = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  return `${step ? (n / 1000 ** step).toFixed(1) : n} ${units[step]}`;
}
