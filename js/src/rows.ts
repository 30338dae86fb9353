import type { RunHeader } from "./protocol.ts";
import { type BucketColumns, type BucketSeries, double, type PointSeries, type Series } from "./series.ts";
import { smooth } from "./smoothing.ts";
import type { XAxis } from "./view-state.ts";

/** A run as a chart draws it. */
export interface Styled {
  run: RunHeader;
  /** The name, made unique on the board. */
  label: string;
  color: string;
  /** For text, which needs more contrast than a line. */
  ink: string;
  dash: readonly number[];
}

export type Mark = "line" | "dot" | "NaN" | "Infinity" | "-Infinity";

/** A row of the dataset `points`; `src/trackbook/charts.py` says what each field is. */
export interface Row {
  run: string;
  step: number;
  time: number;
  value: number;
  smooth: number;
  x: number;
  mark: Mark;
  color: string;
  dash: readonly number[];
  text?: string;
  /** What is drawn around the mean of a group. */
  low?: number;
  high?: number;
}

type Point = Pick<Row, "step" | "time" | "value" | "smooth" | "low" | "high">;

export interface Detail {
  xAxis: XAxis;
  smoothing: number;
  /** Buckets a series may have; more are merged. */
  columns: number;
}

/** What a chart draws of a series: every point, or first, smallest, largest and last of every bucket; by x. */
export function rowsOf(series: Series, style: Styled, { xAxis, smoothing, columns }: Detail): Row[] {
  const points =
    series.kind === "points" ? exactPoints(series, smoothing) : extremes(series, smoothing, columns);
  const lonely = points.filter(({ value }) => Number.isFinite(value)).length === 1;
  const { label, color, dash, run } = style;
  const rows = points.map((point): Row => {
    const { value } = point;
    const mark = Number.isFinite(value) ? (lonely ? "dot" : "line") : (String(value) as Mark);
    return { run: label, ...point, x: place(point, xAxis, run), mark, color, dash };
  });
  return xAxis === "step" ? rows : rows.sort((a, b) => a.x - b.x);
}

export function latest(series: Series): number {
  const values = series.kind === "points" ? series.columns.value : series.columns.last;
  return values[series.rows - 1];
}

function place({ step, time }: Point, xAxis: XAxis, run: RunHeader): number {
  if (xAxis === "step") return step;
  return 1000 * (xAxis === "time" ? time : time - run.started);
}

function exactPoints({ columns: { step, time, value }, band }: PointSeries, smoothing: number): Point[] {
  const weights = value.map(x => (Number.isFinite(x) ? 1 : 0));
  const smoothed = smooth(value, weights, smoothing);
  const points = Array.from(step, (at, i) => ({
    step: at,
    time: time[i],
    value: value[i],
    smooth: smoothed[i],
  }));
  if (!band) return points;
  const [low, high] = [smooth(band.low, weights, smoothing), smooth(band.high, weights, smoothing)];
  return points.map((point, i) => (weights[i] ? { ...point, low: low[i], high: high[i] } : point));
}

function extremes(series: BucketSeries, smoothing: number, most: number): Point[] {
  const trend = smoothing > 0 ? trendLine(series.columns, smoothing) : null;
  let coarse = series;
  while (coarse.rows > most) coarse = double(coarse);
  const points: Point[] = [];
  for (let row = 0; row < coarse.rows; row++) {
    for (const point of corners(coarse.columns, row)) {
      const previous = points.at(-1);
      if (previous?.step === point.step && Object.is(previous.value, point.value)) continue;
      points.push(trend ? { ...point, smooth: trend(point.step) } : point);
    }
  }
  return points;
}

/** The points of a bucket in the order of their steps; the same point may come twice. */
function corners(columns: BucketColumns, row: number): Point[] {
  const corner = (name: "first" | "min" | "max" | "last"): Point => {
    const value = columns[name][row];
    return { step: columns[`${name}_step`][row], time: columns[`${name}_time`][row], value, smooth: value };
  };
  const minFirst = columns.min_step[row] <= columns.max_step[row];
  const between =
    columns.count[row] > 0
      ? minFirst
        ? [corner("min"), corner("max")]
        : [corner("max"), corner("min")]
      : [];
  const points = [corner("first"), ...between, corner("last")];
  if (!columns.mask[row]) return points;
  return [...points, ...hiddenMarks(columns, row)].sort((a, b) => a.step - b.step);
}

/** What `mask` says of values that are neither first nor last: marks, put in the middle of the bucket. */
function hiddenMarks(columns: BucketColumns, row: number): Point[] {
  const ends = [columns.first[row], columns.last[row]];
  const middle = (name: "step" | "time") =>
    (columns[`first_${name}`][row] + columns[`last_${name}`][row]) / 2;
  return [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    .filter((value, bit) => columns.mask[row] & (1 << bit) && !ends.some(end => Object.is(end, value)))
    .map(value => ({ step: Math.floor(middle("step")), time: middle("time"), value, smooth: value }));
}

/** The smoothed means as a function of the step, linear between the buckets' middles. */
function trendLine(columns: BucketColumns, smoothing: number): (step: number) => number {
  const means = smooth(columns.mean, columns.count, smoothing);
  const middles = means.map((_, row) => (columns.first_step[row] + columns.last_step[row]) / 2);
  let row = 0;
  return step => {
    while (row < middles.length - 1 && middles[row + 1] <= step) row++;
    while (row > 0 && middles[row] > step) row--;
    const next = Math.min(row + 1, middles.length - 1);
    const along = (step - middles[row]) / (middles[next] - middles[row] || 1);
    const share = Math.min(1, Math.max(0, along));
    if (!Number.isFinite(means[next])) return means[row];
    return means[row] + (means[next] - means[row]) * share;
  };
}
