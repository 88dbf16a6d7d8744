// Seeds and names: where bregma, ppmm and roi_size put a seed, which names a formula has, which names are free.

import { moved, NAME } from "./place_shapes.js";

// Splits the name of an ROI into seed and side.
export function splitSide(name) {
  return /_[LR]$/.test(name) ? [name.slice(0, -2), name.at(-1)] : [name, ""];
}

// Returns [row, col] of a seed by its name with side, or null where there is none such.
export function seedPlace(name, seeds, { ppmm, bregma }) {
  const [base, side] = splitSide(name.toUpperCase());
  const seed = seeds[base];
  if (!seed || (seed.ML === 0) !== (side === "")) return null;
  const sign = { L: -1, R: 1, "": 0 }[side];
  return [bregma[0] - ppmm * seed.AP, bregma[1] + sign * ppmm * seed.ML];
}

// Returns the rectangle of a seed, as session/config_rois.py makes it, or null.
export function seedShape(name, seeds, view) {
  const place = seedPlace(name, seeds, view);
  if (!place) return null;
  const [w, h] = view.roiSize.map((mm) => Math.max(1, roundHalfEven(mm * view.ppmm)));
  return { kind: "rect", x: Math.floor(place[1] - w / 2), y: Math.floor(place[0] - h / 2), w, h };
}

// As Python's round.
function roundHalfEven(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

// Returns every name that seeds make, each with the middle of its place: [[name, [row, col]], ...].
export function allSeeds(seeds, view) {
  if (!view.bregma) return [];
  return Object.entries(seeds ?? {}).flatMap(([base, { ML }]) => (ML === 0 ? [base] : [`${base}_L`, `${base}_R`]))
    .map((name) => [name, seedPlace(name, seeds, view)]);
}

// Returns the names in a formula, in capitals.
export function namesIn(formula) {
  return [...new Set((formula.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []).map((name) => name.toUpperCase()))];
}

// Returns the formula with one name in place of another.
export function renamedIn(formula, from, to) {
  return formula.replace(/[A-Za-z_][A-Za-z0-9_]*/g, (name) => (name.toUpperCase() === from ? to : name));
}

// Returns the first of ROI1, ROI2 ... that is free.
export function freeName(taken, base = "ROI") {
  for (let number = 1; ; number++) if (!taken.has(`${base}${number}`)) return `${base}${number}`;
}

// Returns a free name for the mirror image: the other side's if the name has a side.
export function mirrorName(name, taken) {
  const [base, side] = splitSide(name);
  const other = side ? `${base}_${side === "L" ? "R" : "L"}` : `${name.slice(0, 30)}_M`;
  return taken.has(other) ? freeName(taken, base.slice(0, 28)) : other;
}

// Returns why a name cannot be given to an ROI, or "".
export function nameProblem(name, taken) {
  if (!NAME.test(name)) return "letters, digits and _, 32 at most, no digit first";
  return taken.has(name.toUpperCase()) ? "another ROI has this name" : "";
}

// Returns a shape beside the other one, so that a copy does not hide it.
export const beside = (shape) => moved(shape, 4, 4);
