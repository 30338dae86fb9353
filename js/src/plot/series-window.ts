import type { Series } from "../frames/series.ts";

export type Range = readonly [from: number, to: number];

export interface Moment {
  step: number;
  time: number;
}
/** Returns the x of a moment; NaN if it is not on the axis. */
export type XOf = (point: Moment) => number;

/** Return the rows within a range of x, and one more on each side, so that lines reach the edges. */
export function rowsInWindow(series: Series, window: Range | null, xOf: XOf): Series {
  if (!window || !series.rows) return series;
  const [from, to] = window;
  const at = (row: number, end: "first" | "last") => xOf(endPoint(series, row, end));
  let [first, last] = [0, series.rows - 1];
  while (first < series.rows && !(at(first, "last") >= from)) first++;
  while (last > first && !(at(last, "first") <= to)) last--;
  return slice(series, Math.max(0, first - 1), Math.min(series.rows, last + 2));
}

/** Return the first and last step of the rows within a range of x. */
export function stepsInWindow(series: Series, window: Range | null, xOf: XOf): Range | null {
  const part = rowsInWindow(series, window, xOf);
  if (!part.rows) return null;
  return [endPoint(part, 0, "first").step, endPoint(part, part.rows - 1, "last").step];
}

export function endPoint({ kind, columns }: Series, row: number, end: "first" | "last"): Moment {
  return kind === "points"
    ? { step: columns.step[row], time: columns.time[row] }
    : { step: columns[`${end}_step`][row], time: columns[`${end}_time`][row] };
}

function slice<S extends Series>(series: S, from: number, to: number): S {
  if (from === 0 && to === series.rows) return series;
  const columns = Object.fromEntries(
    Object.entries(series.columns).map(([name, column]) => [name, column.subarray(from, to)]),
  );
  return { ...series, rows: to - from, columns };
}
