import type { Series } from "../frames/series.ts";
import type { ViewTraits } from "../frames/view-state.ts";
import { endPoint, type Range, type XOf } from "./series-window.ts";

const TAILS = 0.02; // share of the values at either end that may be outliers
const OUTLIER_DISTANCE = 0.25; // of the span between the tails; values farther out are outliers
const FLAT = 0.1; // of the axis: if outliers compress the other data into less, they are left out
const PADDING = 0.05; // of the axis, above and below

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

/** Count the values of all points that have no logarithm, or are not finite. */
export function countSpecial(series: readonly Series[], kind: "not_positive" | "not_finite"): number {
  const isSpecial = (value: number) =>
    kind === "not_finite" ? !Number.isFinite(value) : Number.isFinite(value) && value <= 0;
  let count = 0;
  for (const { kind: of, columns, rows } of series)
    for (let row = 0; row < rows; row++)
      count += of === "buckets" ? columns[kind][row] : Number(isSpecial(columns.value[row]));
  return count;
}

/** Count the points, drawn or not, that have no place on a logarithmic x axis. */
export function countLeftOfZero(lines: readonly { own: Series; xOf: XOf | null }[], isSteps: boolean): Count {
  const count = { atLeast: 0, exact: true };
  for (const { own, xOf } of lines) {
    for (let row = 0; xOf && row < own.rows; row++) {
      const left = (["first", "last"] as const).map(end => Number(xOf(endPoint(own, row, end)) <= 0));
      if (left[0] + left[1] === 0) continue;
      const all = own.kind === "points" ? 1 : own.columns.count[row] + own.columns.not_finite[row];
      const isWhole = left[0] === left[1];
      count.atLeast += isWhole ? all : 1;
      count.exact &&= isWhole || isSteps; // of the steps only the first, 0, has no logarithm
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

/** What a y axis leaves out. */
export interface LeftOut {
  /** The smallest and the largest value that are no outliers; null if the axis is not without outliers by itself. */
  limits: Range | null;
  range: Range;
  /** The values outside of the range. */
  count: Count;
  /** Those of them that are counted separately, because they have no logarithm. */
  apart: number;
}

/** Return what the y axis leaves out, by itself or because its ends are `asked` for; null if it leaves nothing out. */
export function leftOut(
  series: readonly Series[],
  limits: Range | null,
  asked: readonly (number | null)[],
  log: boolean,
): LeftOut | null {
  const whole: Range = [log ? Number.MIN_VALUE : -Number.MAX_VALUE, Number.MAX_VALUE];
  const usual = limits ? padded(limits, log) : whole;
  const [low, high] = [0, 1].map(i => askedEnd(asked[i], log) ?? usual[i]);
  const range: Range = low < high ? [low, high] : usual;
  if (range[0] === whole[0] && range[1] === whole[1]) return null;
  const apart = log ? countSpecial(series, "not_positive") : 0;
  return { limits, range, count: countOutside(series, range), apart };
}

/** Return an end of the y axis that was asked for, if the axis can have it. */
export function askedEnd(end: number | null | undefined, log: boolean): number | null {
  return end !== null && end !== undefined && (!log || end > 0) ? end : null;
}

/** Return a range with some space on both sides. */
export function padded([low, high]: Range, log: boolean): Range {
  const [scale, unscale] = log ? [Math.log, Math.exp] : [Number, Number];
  const [bottom, top] = [scale(low), scale(high)];
  const air = (top - bottom || (log ? 1 : Math.abs(top)) || 1) * PADDING;
  return [unscale(bottom - air), unscale(top + air)];
}

/**
 * Return the ends of the values without outliers; null if no value is to be left out. With "auto", outliers are left out only if
 * they compress all other values into a tenth of the axis, and if no latest value of a run is among them.
 */
export function rangeWithoutOutliers(
  series: readonly Series[],
  log: boolean,
  clip: ViewTraits["clip_outliers"],
): Range | null {
  if (clip === "never") return null;
  const scale = log ? Math.log : Number;
  let [low, high, least, most] = [Infinity, -Infinity, Infinity, -Infinity];
  const latest: number[] = [];
  const all: Float64Array[] = [];
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
    all.push(values);
    if (!log || last > 0) latest.push(scale(last));
  }
  if (!(low < high) || (low <= least && high >= most)) return null;
  if (log && clip === "auto") return null; // a logarithmic axis has room for both
  const pressed = high - low < (most - least) * FLAT;
  if (clip === "auto" && !(pressed && latest.every(value => value >= low && value <= high))) return null;
  const kept = all.flatMap(values =>
    [...values].filter(value => scale(value) >= low && scale(value) <= high),
  );
  return [kept.reduce((a, b) => Math.min(a, b)), kept.reduce((a, b) => Math.max(a, b))];
}

interface Values {
  sorted: Float64Array;
  last: number;
}
const known = new WeakMap<Series, Values>();

/** Return the finite values that a series can draw, sorted, and its last finite value. */
export function finiteValues(series: Series): Values {
  const found = known.get(series) ?? collect(series);
  known.set(series, found);
  return found;
}

function collect({ kind, columns, rows }: Series): Values {
  const parts = kind === "points" ? [columns.value] : [columns.first, columns.min, columns.max, columns.last];
  const values = new Float64Array(parts.length * rows);
  let count = 0;
  for (const part of parts)
    for (let row = 0; row < rows; row++) if (Number.isFinite(part[row])) values[count++] = part[row];
  const ends = (parts.at(-1) as Float64Array).subarray(0, rows);
  return { sorted: values.subarray(0, count).sort(), last: ends.findLast(Number.isFinite) ?? Number.NaN };
}
