import { type Columns, makeColumns } from "./columns.ts";
import { BUCKET_COLUMNS, NAN, NEGATIVE_INFINITY, POINT_COLUMNS, POSITIVE_INFINITY } from "./protocol.ts";

type PointColumns = Columns<typeof POINT_COLUMNS>;
export type BucketColumns = Columns<typeof BUCKET_COLUMNS>;

interface Common {
  run: number;
  metric: number;
  rows: number;
  /** How often the kernel's own buckets were doubled; missing means 0. */
  coarser?: number;
}
/** `width` is the steps per bucket, a power of two; a series of width 1 holds points. */
export type PointSeries = Common & {
  kind: "points";
  width: 1;
  columns: PointColumns;
  /** The band around the mean of a group of runs. */
  band?: { low: Float64Array; high: Float64Array } | null;
};
export type BucketSeries = Common & { kind: "buckets"; width: number; columns: BucketColumns };
export type Series = PointSeries | BucketSeries;

/** Apply a delta's series to the keyframe's. */
export function overlay(base: Series, top: Series): Series {
  const widened = widenTo(base, top.width);
  if (widened.width > top.width) throw new Error("A delta is finer than its keyframe.");
  return widened.kind === "points"
    ? upsert(widened, top as PointSeries, POINT_COLUMNS, "step")
    : upsert(widened, top as BucketSeries, BUCKET_COLUMNS, "bucket");
}

const doubled = new WeakMap<Series, BucketSeries>();

/** Double the bucket width: rows 2k and 2k + 1 become row k. */
export function double(series: Series): BucketSeries {
  const wide = doubled.get(series) ?? doubleNow(series);
  doubled.set(series, wide);
  return wide;
}

function doubleNow(series: Series): BucketSeries {
  return mergeBuckets(series, 2);
}

/** Put points sorted by step into buckets of `width` steps, a power of two. */
export function bucketsOf(points: PointSeries, width: number): BucketSeries {
  return mergeBuckets(points, width);
}

/** Merge aligned buckets, `factor` of them into one. */
function mergeBuckets(series: Series, factor: number): BucketSeries {
  const { columns: source, rows } = series.kind === "points" ? asBuckets(series) : series;
  const bucketAt = (row: number) => Math.floor(source.bucket[row] / factor);
  const most = rows ? Math.min(rows, bucketAt(rows - 1) - bucketAt(0) + 1) : 0;
  const columns = makeColumns(BUCKET_COLUMNS, () => new Float64Array(most));
  let last = -1;
  for (let row = 0; row < rows; row++) {
    const bucket = bucketAt(row);
    if (last >= 0 && columns.bucket[last] === bucket) {
      mergeRow(columns, last, source, row);
    } else {
      last++;
      for (const name of BUCKET_COLUMNS) columns[name][last] = source[name][row];
      columns.bucket[last] = bucket;
    }
  }
  const kept = makeColumns(BUCKET_COLUMNS, i => columns[BUCKET_COLUMNS[i]].slice(0, last + 1));
  const { run, metric, width } = series;
  return { kind: "buckets", run, metric, width: width * factor, rows: last + 1, columns: kept };
}

/** Widen the buckets until they span at least `width` steps. */
export function widenTo(series: Series, width: number): Series {
  let wide = series;
  while (wide.width < width) wide = double(wide);
  return wide;
}

export function sameSeries(a: Series, b: Series): boolean {
  if (a === b) return true;
  if (a.width !== b.width || a.rows !== b.rows) return false;
  const theirs = Object.values(b.columns);
  return Object.values(a.columns).every((column, i) => sameNumbers(column, theirs[i]));
}

const EXACT = ["bucket", "count"] as const;
const ROUNDED = ["first", "min", "max", "last"] as const;
const PRECISION = 2 ** -22; // of float32, with any offset

/** Whether a finer series has all the data of a coarser one. */
export function refines(fine: Series, coarse: Series): boolean {
  if (coarse.kind === "points" || fine.width >= coarse.width) return false;
  const wide = widenTo(fine, coarse.width);
  const [ours, theirs] = [(wide as BucketSeries).columns, coarse.columns];
  return (
    wide.rows === coarse.rows &&
    EXACT.every(name => sameNumbers(ours[name], theirs[name])) &&
    ROUNDED.every(name => ours[name].every((value, row) => isClose(value, theirs[name][row])))
  );
}

function isClose(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= PRECISION * Math.max(Math.abs(a), Math.abs(b));
}

/** Compare from the end, where runs grow. */
function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  for (let i = a.length - 1; i >= 0; i--)
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}

function maskOf(value: number): number {
  if (Number.isFinite(value)) return 0;
  return Number.isNaN(value) ? NAN : value > 0 ? POSITIVE_INFINITY : NEGATIVE_INFINITY;
}

function asBuckets({ columns: { step, time, value }, rows }: PointSeries) {
  const finite = value.map(x => (Number.isFinite(x) ? 1 : 0));
  const whereFinite = (column: Float64Array) => column.map((x, row) => (finite[row] ? x : Number.NaN));
  const columns: BucketColumns = {
    bucket: step,
    count: finite,
    mean: whereFinite(value),
    m2: new Float64Array(rows),
    mask: value.map(maskOf),
    not_positive: value.map((x, row) => finite[row] && Number(x <= 0)),
    not_finite: finite.map(x => 1 - x),
    first_step: step,
    first_time: time,
    first: value,
    min_step: whereFinite(step),
    min_time: whereFinite(time),
    min: whereFinite(value),
    max_step: whereFinite(step),
    max_time: whereFinite(time),
    max: whereFinite(value),
    last_step: step,
    last_time: time,
    last: value,
  };
  return { columns, rows };
}

/** Merge a later `row` into row `into`. Of equal extremes, the one with the smaller step stays. */
function mergeRow(target: BucketColumns, into: number, source: BucketColumns, row: number) {
  const copy = (names: readonly (keyof BucketColumns)[]) => {
    for (const name of names) target[name][into] = source[name][row];
  };
  const [n, m] = [target.count[into], source.count[row]];
  if (m > 0) {
    if (n === 0 || source.min[row] < target.min[into]) copy(["min_step", "min_time", "min"]);
    if (n === 0 || source.max[row] > target.max[into]) copy(["max_step", "max_time", "max"]);
    if (n === 0) copy(["mean", "m2"]);
    else {
      const [a, b] = [target.mean[into], source.mean[row]];
      const mean = (n * a + m * b) / (n + m);
      target.m2[into] += source.m2[row] + n * (a - mean) ** 2 + m * (b - mean) ** 2;
      target.mean[into] = mean;
    }
    target.count[into] = n + m;
  }
  target.mask[into] |= source.mask[row];
  target.not_positive[into] += source.not_positive[row];
  target.not_finite[into] += source.not_finite[row];
  copy(["last_step", "last_time", "last"]);
}

/** Merge rows sorted by `key`; a row of `top` replaces the row of `base` with the same key. */
function upsert<S extends Series>(base: S, top: S, names: readonly string[], key: string): S {
  const from = base.columns as Record<string, Float64Array>;
  const over = top.columns as Record<string, Float64Array>;
  const start = from[key].findLastIndex(at => at < (over[key][0] ?? Number.POSITIVE_INFINITY)) + 1;
  const plan = mergePlan(from[key].subarray(start), over[key]);
  const rows = start + plan.length;
  const columns = makeColumns(names, i => {
    const [column, old, fresh] = [new Float64Array(rows), from[names[i]], over[names[i]]];
    column.set(old.subarray(0, start)); // nearly all rows, because runs grow at the end
    for (let row = start; row < rows; row++) {
      const at = plan[row - start];
      column[row] = at < 0 ? fresh[-at - 1] : old[start + at];
    }
    return column;
  });
  return { ...top, rows, columns };
}

/** Plan where each merged row comes from: n is row n of `base`, -n - 1 is row n of `top`. */
function mergePlan(base: Float64Array, top: Float64Array): Int32Array {
  const plan = new Int32Array(base.length + top.length);
  let [i, j, rows] = [0, 0, 0];
  while (i < base.length || j < top.length) {
    const takesTop = i === base.length || (j < top.length && top[j] <= base[i]);
    if (takesTop && top[j] === base[i]) i++;
    plan[rows++] = takesTop ? -j++ - 1 : i++;
  }
  return plan.subarray(0, rows);
}
