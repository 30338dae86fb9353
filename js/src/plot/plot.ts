import { sameItems } from "../frames/columns.ts";
import type { Series } from "../frames/series.ts";
import type { XAxis } from "../frames/view-state.ts";
import { formatValue } from "../ui/format.ts";
import { valueAtStep } from "./join.ts";
import { downsample } from "./m4.ts";
import { drawingOrder } from "./palette.ts";
import { latestValue, type PlotRow, placePoints, plotRows, type RunStyle } from "./rows.ts";
import { endPoint, type Range, stepsInWindow } from "./slices.ts";
import type { Smoothing } from "./smoothing.ts";
import type { LogAxes, SpecName } from "./specs.ts";

const MOST_BARS = 10;

/** One run in one chart. */
export interface Trace {
  style: RunStyle;
  rows: readonly PlotRow[];
  latest: number;
}

export interface Plot {
  kind: SpecName;
  log: LogAxes;
  /** In drawing order: the last lies on top. */
  traces: readonly Trace[];
  rows: PlotRow[];
  /** What a reader could miss, in a few words each. */
  remarks: string[];
}

/** How all charts of a board are drawn. */
export interface DrawSettings {
  styles: ReadonlyMap<number, RunStyle>;
  hidden: ReadonlySet<string>;
  smoothing: Smoothing;
  clipOutliers: boolean;
}

/** What is on the axes of one chart. */
export interface ChartAxes {
  x: XAxis;
  log: LogAxes;
  /** Of the metric that is the x axis, by run. */
  knots: readonly Series[];
}

export function sameAxes(a: ChartAxes, b: ChartAxes): boolean {
  return a.x === b.x && a.log.x === b.log.x && a.log.y === b.log.y && sameItems(a.knots, b.knots);
}

/** What of a chart is to be seen: all of it, or what was zoomed to. */
export interface Zoom {
  readonly x: Range | null;
  readonly y: Range | null;
}

export interface ChartContent {
  series: readonly Series[];
  /** Finer rows for what is zoomed to, as far as the kernel has answered. */
  fine: readonly Series[];
  look: DrawSettings;
  axes: ChartAxes;
  zoom: Zoom;
}

const SPEC_OF_AXIS: Record<string, SpecName> = {
  step: "line-step",
  relative: "line-relative",
  time: "line-time",
};

/** What to draw of one metric's series, on so many pixels. */
export function plotOf(content: ChartContent, columns: number): Plot {
  const { series, look, axes, fine, zoom } = content;
  const byRun = new Map(series.filter(({ rows }) => rows > 0).map(each => [each.run, each]));
  const shown = visibleStyles(byRun.keys(), look);
  const kind = SPEC_OF_AXIS[axes.x] ?? "line-metric";
  const log = { x: axes.log.x && axes.x !== "time", y: axes.log.y };
  const remarks: string[] = [];
  const lines = shown.map(style => {
    const own = byRun.get(style.run.key) as Series;
    const place = xOfPoint(axes, style);
    const finer = fine.find(({ run }) => run === own.run) ?? null;
    const placing = { sorted: axes.x !== "step", window: zoom.x, fine: finer };
    return { own, style, points: place ? placePoints(own, { ...placing, place }) : [] };
  });
  const few = downsample(
    lines.map(({ points }) => points),
    zoom.x,
    columns,
    log.x,
  );
  const traces = lines.map(
    ({ own, style }, i): Trace => ({
      style,
      rows: plotRows(own, few[i], style, look.smoothing),
      latest: latestValue(own),
    }),
  );
  if (shown.length && shown.every(style => isSinglePoint(byRun.get(style.run.key) as Series, style))) {
    return { kind: "bar", log, traces, rows: barRows(traces), remarks };
  }
  const lost = shown.filter(style => !xOfPoint(axes, style)).map(({ label }) => label);
  if (lost.length)
    remarks.push(`without ${axes.x}: ${lost.length > 2 ? `${lost.length} runs` : lost.join(", ")}`);
  const fitted = dropNonPositive(traces, log, remarks);
  return { kind, log, traces: fitted, rows: fitted.flatMap(trace => trace.rows), remarks };
}

/** In drawing order. */
function visibleStyles(keys: Iterable<number>, { styles, hidden }: DrawSettings): RunStyle[] {
  const runs = [...keys].map(key => styles.get(key)?.run).filter(run => run !== undefined);
  return drawingOrder(runs.filter(run => !hidden.has(run.id))).map(({ key }) => styles.get(key) as RunStyle);
}

/** The steps that a window of x shows, of all runs together; null: none. */
export function stepsInView({ series, look, axes, zoom }: ChartContent): Range | null {
  const ranges = series.flatMap(each => {
    const style = look.styles.get(each.run);
    const place = style && xOfPoint(axes, style);
    return place ? [stepsInWindow(each, zoom.x, place)] : [];
  });
  const known = ranges.filter(range => range !== null);
  if (!known.length) return null;
  return [Math.min(...known.map(([from]) => from)), Math.max(...known.map(([, to]) => to))];
}

/** From the first x of all to the last. */
export function xExtentOf({ series, look, axes }: Omit<ChartContent, "zoom">): Range | null {
  const ends = series.flatMap(each => {
    const style = look.styles.get(each.run);
    const place = style && each.rows ? xOfPoint(axes, style) : null;
    return place ? [place(endPoint(each, 0, "first")), place(endPoint(each, each.rows - 1, "last"))] : [];
  });
  const known = ends.filter(Number.isFinite);
  return known.length ? [Math.min(...known), Math.max(...known)] : null;
}

type XOf = (point: { step: number; time: number }) => number;

/** Null where the run does not have the metric that is the x axis. */
function xOfPoint({ x, knots }: ChartAxes, { run }: RunStyle): XOf | null {
  if (x === "step") return ({ step }) => step;
  if (x === "time") return ({ time }) => 1000 * time;
  if (x === "relative") return ({ time }) => 1000 * (time - run.started);
  const own = knots.find(series => series.run === run.key);
  if (!own) return null;
  const join = valueAtStep(own);
  return ({ step }) => join(step);
}

/** Where an axis is logarithmic, values that have no place on it become marks, or go, and are counted. */
function dropNonPositive(traces: readonly Trace[], log: LogAxes, remarks: string[]): readonly Trace[] {
  let [left, below] = [0, 0];
  const fit = (row: PlotRow): PlotRow[] => {
    if (log.x && row.x <= 0) {
      left++;
      return [];
    }
    if (!log.y || (row.mark !== "line" && row.mark !== "dot")) return [row];
    if (row.value > 0) {
      const banded = row.low !== undefined && row.low <= 0 ? { ...row, low: row.value } : row;
      return [row.smooth > 0 ? banded : { ...banded, smooth: Number.NaN }];
    }
    below++;
    return [{ ...row, mark: "below" }];
  };
  const fitted = log.x || log.y ? traces.map(trace => ({ ...trace, rows: trace.rows.flatMap(fit) })) : traces;
  if (below) remarks.push(`${below} ${below === 1 ? "value" : "values"} ≤ 0`);
  if (left) remarks.push(`${left} at x ≤ 0`);
  return fitted;
}

function isSinglePoint({ kind, rows }: Series, { run }: RunStyle): boolean {
  return kind === "points" && rows === 1 && run.state !== "running";
}

/** The largest first, as many as can be read. */
function barRows(traces: readonly Trace[]): PlotRow[] {
  const rows = traces.flatMap(({ rows: [row] }) => (row ? [{ ...row, text: formatValue(row.value) }] : []));
  return rows.sort((a, b) => descending(a.value, b.value)).slice(0, MOST_BARS);
}

/** An order for `sort`: the largest first, NaN last. */
export function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? 1 : a > b ? -1 : 0;
}
