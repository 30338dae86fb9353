import type { RunHeader } from "../frames/protocol.ts";
import type { BucketColumns, BucketSeries, PointSeries, Series } from "../frames/series.ts";
import { literal } from "../metrics.ts";
import { divide, isNotFinite, onLogarithms } from "./line-sections.ts";
import { endPoint, type Range, rowsInWindow } from "./series-window.ts";
import { type Smoothing, smoother } from "./smoothing.ts";

/** How a run is drawn. */
export interface RunStyle {
  run: RunHeader;
  /** The run's name, made unique on the board. */
  label: string;
  color: string;
  /** The colour for text, which needs more contrast than a line. */
  ink: string;
  dash: readonly number[];
  /** One of many lines, drawn thin and transparent. */
  faint?: boolean;
}

type Mark = "line" | "dot" | "NaN" | "Infinity" | "-Infinity" | "below" | "reference" | "best";

/** A row of the dataset `points`; `src/trackbook/charts/metric_spec.py` documents the fields. */
export interface PlotRow {
  run: string;
  step: number;
  time: number;
  value: number;
  smooth: number;
  x: number;
  mark: Mark;
  part: number;
  color: string;
  dash: readonly number[];
  text?: string;
  faint?: boolean;
  /** The band around the mean of a group. */
  low?: number;
  high?: number;
}

type PlotPoint = Pick<PlotRow, "step" | "time" | "value"> & {
  /** Whether it is not positive, but others of its bucket or pixel column are: a line on a logarithmic axis passes through. */
  bridged?: boolean;
};

/** A point with its position on the x axis. */
export type PlacedPoint = PlotPoint & Pick<PlotRow, "x">;

/** Which part of a series is drawn, and where. */
export interface Placement {
  /** Return the x of a point; NaN if it is not on the axis. */
  xOf(point: { step: number; time: number }): number;
  /** Whether points must be sorted by x: time and other metrics need not grow with the step. */
  sorted: boolean;
  /** The visible range of x; null is everything. */
  window: Range | null;
  /** The kernel's finer series for the visible range. */
  fine: Series | null;
}

/** Return every point of a series, or the first, smallest, largest and last of every bucket, by x. */
export function placePoints(series: Series, placement: Placement): PlacedPoint[] {
  const points: PlacedPoint[] = [];
  for (const point of pointsOf(series, placement)) {
    const x = placement.xOf(point);
    if (Number.isFinite(x)) points.push({ ...point, x });
  }
  return placement.sorted ? points.sort((a, b) => a.x - b.x) : points;
}

/** Turn points of a series into chart rows, on logarithmic axes where `log` says so. */
export function plotRows(
  series: Series,
  points: readonly PlacedPoint[],
  style: RunStyle,
  smoothing: Smoothing,
  log = { x: false, y: false },
): PlotRow[] {
  const trend = smoother(series, smoothing);
  const lonely = countFinite(series) === 1;
  const { label, color, dash, faint } = style;
  const look = faint ? { color, dash, faint } : { color, dash };
  const rows = points.map(({ step, time, value, x }): PlotRow => {
    const mark = Number.isFinite(value) ? (lonely ? "dot" : "line") : (String(value) as Mark);
    const smooth = trend ? trend(step) : value;
    return { run: literal(label), step, time, value, smooth, x, mark, part: 0, ...look };
  });
  const { band } = series.kind === "points" ? series : {};
  const drawn = band ? withBand(rows, series as PointSeries, band, smoothing) : rows;
  if (log.x || log.y) return onLogarithms(drawn, points, log);
  divide(drawn, isNotFinite);
  return drawn;
}

/** Add the band around a group's mean, smoothed like the mean. */
function withBand(
  rows: readonly PlotRow[],
  group: PointSeries,
  { low, high }: NonNullable<PointSeries["band"]>,
  smoothing: Smoothing,
): PlotRow[] {
  const edge = (value: Float64Array) => {
    const places = new Map(Array.from(group.columns.step, (step, i) => [step, value[i]]));
    const columns = { ...group.columns, value };
    return smoother({ ...group, columns }, smoothing) ?? ((step: number) => places.get(step));
  };
  const [lower, upper] = [edge(low), edge(high)];
  return rows.map((row): PlotRow => {
    const [from, to] = [lower(row.step), upper(row.step)];
    return Number.isFinite(row.value) && from !== undefined && to !== undefined
      ? { ...row, low: from, high: to }
      : row;
  });
}

export function latestValue(series: Series): number {
  const values = series.kind === "points" ? series.columns.value : series.columns.last;
  return values[series.rows - 1];
}

function countFinite(series: Series): number {
  if (series.kind === "buckets") return series.columns.count.reduce((sum, count) => sum + count, 0);
  return series.columns.value.reduce((sum, value) => sum + Number(Number.isFinite(value)), 0);
}

/** Return the points of the series; in the range of the finer series, those of that one. */
function pointsOf(series: Series, { fine, window, xOf }: Placement): PlotPoint[] {
  const pointsIn = (part: Series): PlotPoint[] => {
    const seen = rowsInWindow(part, window, xOf);
    return seen.kind === "points" ? exactPoints(seen) : bucketPoints(seen);
  };
  const points = pointsIn(series);
  if (!fine?.rows || (series.kind === "points" && series.band)) return points;
  const [first, last] = [endPoint(fine, 0, "first").step, endPoint(fine, fine.rows - 1, "last").step];
  return [
    ...points.filter(({ step }) => step < first),
    ...pointsIn(fine),
    ...points.filter(({ step }) => step > last),
  ];
}

function exactPoints({ columns: { step, time, value } }: PointSeries): PlotPoint[] {
  return Array.from(step, (at, i) => ({ step: at, time: time[i], value: value[i] }));
}

function bucketPoints({ rows, columns }: BucketSeries): PlotPoint[] {
  const points: PlotPoint[] = [];
  for (let row = 0; row < rows; row++) {
    for (const point of pointsOfBucket(columns, row)) {
      const previous = points.at(-1);
      if (previous?.step === point.step && Object.is(previous.value, point.value)) continue;
      points.push(point.value <= 0 && columns.max[row] > 0 ? { ...point, bridged: true } : point);
    }
  }
  return points;
}

/** Return the points of a bucket in the order of their steps, possibly with duplicates. */
function pointsOfBucket(columns: BucketColumns, row: number): PlotPoint[] {
  const corner = (name: "first" | "min" | "max" | "last"): PlotPoint => {
    const value = columns[name][row];
    return { step: columns[`${name}_step`][row], time: columns[`${name}_time`][row], value };
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
  return [...points, ...maskedMarks(columns, row)].sort((a, b) => a.step - b.step);
}

/** Return marks for the NaN and infinities inside a bucket, which `mask` records, at its middle. */
function maskedMarks(columns: BucketColumns, row: number): PlotPoint[] {
  const ends = [columns.first[row], columns.last[row]];
  const middle = (name: "step" | "time") =>
    (columns[`first_${name}`][row] + columns[`last_${name}`][row]) / 2;
  return [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    .filter((value, bit) => columns.mask[row] & (1 << bit) && !ends.some(end => Object.is(end, value)))
    .map(value => ({ step: Math.floor(middle("step")), time: middle("time"), value }));
}
