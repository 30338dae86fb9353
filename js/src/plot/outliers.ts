import type { Series } from "../frames/series.ts";
import type { ViewTraits } from "../frames/view-state.ts";
import type { Range } from "./series-window.ts";

const TAILS = 0.02; // share of the values at either end that may be outliers
const OUTLIER_DISTANCE = 0.25; // of the span between the tails; values farther out are outliers
const FLAT = 0.1; // of the axis: if outliers compress the other data into less, they are left out

/** A number of values; only a lower bound if a bucket has an unknown number of them. */
export interface Count {
  atLeast: number;
  exact: boolean;
}

export function formatAtLeast({ atLeast, exact }: Count): string {
  return exact ? String(atLeast) : `${atLeast}+`;
}

/** Count the finite values of all points, drawn or not, outside of a range. */
export function countOutside(series: readonly Series[], range: Range): Count {
  const count = { atLeast: 0, exact: true };
  for (const each of series) {
    for (let row = 0; row < each.rows; row++) {
      if (each.kind === "points") count.atLeast += Number(isOutside(each.columns.value[row], range));
      else addBucket(count, each.columns, row, range);
    }
  }
  return count;
}

function isOutside(value: number, [low, high]: Range): boolean {
  return Number.isFinite(value) && (value < low || value > high);
}

type Buckets = Extract<Series, { kind: "buckets" }>["columns"];

function addBucket(count: Count, columns: Buckets, row: number, [low, high]: Range) {
  const [all, min, max] = [columns.count[row], columns.min[row], columns.max[row]];
  if (!all || (min >= low && max <= high)) return;
  if (max < low || min > high) {
    count.atLeast += all;
    return;
  }
  const known = new Map<number, number>();
  for (const name of ["first", "min", "max", "last"] as const) {
    const value = columns[name][row];
    if (Number.isFinite(value)) known.set(columns[`${name}_step`][row], value);
  }
  count.atLeast += [...known.values()].filter(value => isOutside(value, [low, high])).length;
  count.exact &&= known.size >= all;
}

/**
 * Return the range of the y axis without outliers; null if no value is to be left out. With "auto", outliers are left out only if
 * they compress all other values into a tenth of the axis, and if no latest value of a run is among them.
 */
export function rangeWithoutOutliers(
  series: readonly Series[],
  log: boolean,
  clip: ViewTraits["clip_outliers"],
): Range | null {
  if (clip === "never") return null;
  const [scale, unscale] = log ? [Math.log, Math.exp] : [Number, Number];
  let [low, high, least, most] = [Infinity, -Infinity, Infinity, -Infinity];
  const latest: number[] = [];
  for (const each of series) {
    const { sorted, last } = finiteValues(each);
    const values = log ? sorted.subarray(sorted.findIndex(value => value > 0)) : sorted;
    if (!values.length || (log && !(values[0] > 0))) continue;
    const at = (share: number) => scale(values[Math.round(share * (values.length - 1))]);
    const reach = (at(1 - TAILS) - at(TAILS)) * OUTLIER_DISTANCE;
    low = Math.min(low, Math.max(at(0), at(TAILS) - reach));
    high = Math.max(high, Math.min(at(1), at(1 - TAILS) + reach));
    least = Math.min(least, at(0));
    most = Math.max(most, at(1));
    if (!log || last > 0) latest.push(scale(last));
  }
  if (!(low < high) || (low <= least && high >= most)) return null;
  if (log && clip === "auto") return null; // a logarithmic axis has room for both
  const pressed = high - low < (most - least) * FLAT;
  if (clip === "auto" && !(pressed && latest.every(value => value >= low && value <= high))) return null;
  return [unscale(low), unscale(high)];
}

interface Values {
  sorted: Float64Array;
  last: number;
}
const known = new WeakMap<Series, Values>();

/** Return the finite values that a series can draw, sorted, and its last finite value. */
function finiteValues(series: Series): Values {
  const found = known.get(series) ?? collect(series);
  known.set(series, found);
  return found;
}

function collect({ kind, columns, rows }: Series): Values {
  const parts = kind === "points" ? [columns.value] : [columns.first, columns.min, columns.max, columns.last];
  const values = parts.flatMap(part => [...part.subarray(0, rows)].filter(Number.isFinite));
  const ends = kind === "points" ? columns.value : columns.last;
  const last = [...ends.subarray(0, rows)].findLast(Number.isFinite) ?? Number.NaN;
  return { sorted: Float64Array.from(values).sort(), last };
}
