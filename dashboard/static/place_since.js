// Where shapes of the first day lie today: what was moved since then, on a day in between, is not moved twice.

import { centreOf, pointTurned, shapeOf, turned } from "./place_shapes.js";

const SAME_PX = 0.1;
// Rectangles are made of whole pixels: their middles are up to half a pixel off, each way, on either day.
const ROUNDED_PX = 1.5;

// Returns the changes that put a draft's shapes and bregma where the first day's picture lies on today's, `by` {shift,
// rotation}; null where it cannot be told how they were moved since.
export function again(draft, first, size, by) {
  const centre = size.map((side) => side / 2);
  const to = { ...by, centre };
  const placed = draft.items().filter(({ seed }) => !seed);
  const then = firstDay(first, size);
  const since = movedSince(draft, placed, then, centre);
  if (!since) return null;
  const step = apart(since, to);
  const lies = ({ shape }, origin) => far(pointTurned(centreOf(origin), since), centreOf(shape)) <= ROUNDED_PX;
  const changes = placed.map((item) => {
    const origin = then.shapes[item.name];
    // From where it was, so that the roundings of many days do not add up.
    const exact = origin && sameButPlace(origin, item.shape) && lies(item, origin);
    return draft.placing(item, exact ? turned(origin, to) : turned(item.shape, step));
  });
  const { bregma } = draft.view;
  if (bregma) {
    const now = [bregma[1], bregma[0]];
    const exact = then.bregma && far(pointTurned(then.bregma, since), now) <= ROUNDED_PX / 3;
    const [x, y] = exact ? pointTurned(then.bregma, to) : pointTurned(now, step);
    changes.push(draft.bregma([y, x]));
  }
  return Object.assign({}, ...changes);
}

// Returns bregma [x, y] or null, and shapes by name, of the first day, in px of today's picture. Shapes only where that
// has as many pixels.
function firstDay({ bregma, rois, image }, [width, height]) {
  const entries = Object.entries(rois ?? {}).map(([name, text]) => [name.toUpperCase(), shapeOf(text)]);
  const same = image[0] === width && image[1] === height;
  return {
    bregma: bregma && [(bregma[1] * width) / image[0], (bregma[0] * height) / image[1]],
    shapes: same ? Object.fromEntries(entries.filter(([, shape]) => shape)) : {},
  };
}

// Returns how shapes and bregma were moved since the first day, {shift, rotation, centre}; null: cannot be told.
function movedSince(draft, placed, { bregma, shapes }, centre) {
  const still = { shift: [0, 0], rotation: 0, centre };
  if (!bregma || !draft.view.bregma) return still;
  const now = [draft.view.bregma[1], draft.view.bregma[0]];
  const both = placed.filter(({ name }) => shapes[name]);
  const pairs = [[bregma, now], ...both.map(({ name, shape }) => [centreOf(shapes[name]), centreOf(shape)])];
  const stays = far(bregma, now) <= SAME_PX;
  // How it was turned shows only in what lies elsewhere than bregma.
  if (pairs.length === 1 && placed.length) return stays ? still : null;
  const found = fit(pairs, centre);
  if (pairs.every(([from, to]) => far(pointTurned(from, found), to) <= ROUNDED_PX)) return found;
  return stays ? still : null;
}

// Returns the turn about `centre` and the shift that bring the first of each pair nearest to the second.
function fit(pairs, centre) {
  const mean = (which, axis) => pairs.reduce((sum, pair) => sum + pair[which][axis], 0) / pairs.length;
  const [from, to] = [0, 1].map((which) => [mean(which, 0), mean(which, 1)]);
  let [cross, dot] = [0, 0];
  for (const [a, b] of pairs) {
    const [ax, ay, bx, by] = [a[0] - from[0], a[1] - from[1], b[0] - to[0], b[1] - to[1]];
    cross += ax * by - ay * bx;
    dot += ax * bx + ay * by;
  }
  const rotation = (Math.atan2(cross, dot) * 180) / Math.PI;
  const [x, y] = pointTurned(from, { shift: [0, 0], rotation, centre });
  return { shift: [to[0] - x, to[1] - y], rotation, centre };
}

// Returns what is left to be done where `done` was, and `whole` is wanted.
function apart(done, { shift, rotation, centre }) {
  const turn = rotation - done.rotation;
  const [x, y] = pointTurned(done.shift, { shift: [0, 0], rotation: turn, centre: [0, 0] });
  return { shift: [shift[0] - x, shift[1] - y], rotation: turn, centre };
}

const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

// Whether one shape is the other, but for where it lies and how it is turned.
function sameButPlace(one, other) {
  if (one.kind !== other.kind) return false;
  if (one.kind === "rect") return one.w === other.w && one.h === other.h;
  if (one.kind === "circle") return one.r === other.r;
  const sides = ({ points }) => points.map((point, place) => far(point, points[(place + 1) % points.length]));
  const [mine, others] = [sides(one), sides(other)];
  return mine.length === others.length && mine.every((side, place) => Math.abs(side - others[place]) <= 0.5);
}
