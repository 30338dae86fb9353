import type { RunHeader } from "./protocol.ts";
import type { BucketColumns, PointSeries, Series } from "./series.ts";
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
}

type Point = Pick<Row, "step" | "time" | "value" | "smooth">;

/** What a chart draws of a series: every point, or first, smallest, largest and last of every bucket; by x. */
export function rowsOf(series: Series, style: Styled, xAxis: XAxis, smoothing: number): Row[] {
  const points =
    series.kind === "points" ? exactPoints(series, smoothing) : extremes(series.columns, smoothing);
  const lonely = points.filter(point => Number.isFinite(point.value)).length === 1;
  const { label, color, dash, run } = style;
  const rows = points.map(point => ({
    run: label,
    ...point,
    x: place(point, xAxis, run),
    mark: Number.isFinite(point.value) ? (lonely ? "dot" : "line") : (String(point.value) as Mark),
    color,
    dash,
  })) satisfies Row[];
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

function exactPoints({ columns: { step, time, value } }: PointSeries, smoothing: number): Point[] {
  const weights = value.map(x => (Number.isFinite(x) ? 1 : 0));
  const smoothed = smooth(value, weights, smoothing);
  return Array.from(step, (at, i) => ({ step: at, time: time[i], value: value[i], smooth: smoothed[i] }));
}

const CORNERS = ["first", "min", "max", "last"] as const;

function extremes(columns: BucketColumns, smoothing: number): Point[] {
  const trend = smoothing > 0 ? trendLine(columns, smoothing) : null;
  const points: Point[] = [];
  columns.bucket.forEach((_, row) => {
    const corners = CORNERS.map(name => {
      const [step, time, value] = [
        columns[`${name}_step`][row],
        columns[`${name}_time`][row],
        columns[name][row],
      ];
      return { step, time, value, smooth: trend ? trend(step) : value };
    });
    corners.push(...hiddenMarks(columns, row));
    const known = corners.filter(point => !Number.isNaN(point.step)).sort((a, b) => a.step - b.step);
    for (const point of known) {
      const previous = points.at(-1);
      if (previous && previous.step === point.step && Object.is(previous.value, point.value)) continue;
      points.push(point);
    }
  });
  return points;
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
