import type { Range } from "./series-window.ts";

interface Value {
  value: number;
  /** Whether others of its bucket or pixel column are positive, but it is not. */
  bridged?: boolean;
}
type XValue = Value & { x: number };

/** Reduce lines sorted by x to the points that draw the same pixels on a chart of `columns` pixel columns. */
export function downsample<P extends XValue>(
  lines: readonly (readonly P[])[],
  window: Range | null,
  columns: number,
  log: boolean,
): P[][] {
  const scale = (x: number) => (log ? (x > 0 ? Math.log(x) : Number.NEGATIVE_INFINITY) : x);
  const span = window && Number.isFinite(scale(window[0])) ? window : xExtent(lines, log);
  const ends: Range = [scale(span[0]), scale(span[1])];
  return lines.map(line => m4(line, ({ x }) => scale(x), ends, columns));
}

/** Return the range of x of all lines; on a logarithmic axis, of positive x. */
function xExtent(lines: readonly (readonly XValue[])[], log: boolean): Range {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const line of lines) {
    const first = log ? line.find(({ x }) => x > 0) : line[0];
    if (first) [from, to] = [Math.min(from, first.x), Math.max(to, line[line.length - 1].x)];
  }
  return [from, to];
}

/**
 * Keep the first, smallest, largest and last point of each pixel column (M4), and one non-finite point of each
 * kind. The columns span `from` to `to`.
 */
export function m4<P extends Value>(
  points: readonly P[],
  x: (point: P) => number,
  [from, to]: readonly [from: number, to: number],
  columns: number,
): P[] {
  if (points.length <= 4 * columns || !(to > from)) return [...points];
  const scale = columns / (to - from);
  const kept: P[] = [];
  let start = 0;
  let column = Number.NaN;
  for (let at = 0; at <= points.length; at++) {
    const next = at < points.length ? Math.floor((x(points[at]) - from) * scale) : Number.NaN;
    if (next === column) continue;
    keepExtremes(points, start, at, kept);
    [start, column] = [at, next];
  }
  return kept;
}

function keepExtremes<P extends Value>(points: readonly P[], start: number, end: number, kept: P[]) {
  const isFew = end - start <= 4;
  const chosen = new Set(isFew ? [] : [start, end - 1]);
  const kinds = new Map<string, number>();
  let [low, high] = [-1, -1];
  for (let at = start; at < end; at++) {
    const { value } = points[at];
    if (isFew) chosen.add(at);
    if (!Number.isFinite(value)) {
      if (!kinds.has(String(value))) kinds.set(String(value), at);
      continue;
    }
    if (low < 0 || value < points[low].value) low = at;
    if (high < 0 || value > points[high].value) high = at;
  }
  for (const at of [low, high, ...kinds.values()]) if (at >= 0) chosen.add(at);
  const isPositive = high >= 0 && points[high].value > 0;
  for (const at of [...chosen].sort((a, b) => a - b)) {
    const point = points[at];
    kept.push(isPositive && point.value <= 0 ? { ...point, bridged: true } : point);
  }
}
