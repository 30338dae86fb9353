import { sameItems } from "../frames/columns.ts";
import type { Series } from "../frames/series.ts";
import type { ViewTraits, XAxis } from "../frames/view-state.ts";
import { literal, ownEntry } from "../metrics.ts";
import { formatAlone, formatChange } from "../ui/format.ts";
import { type ChartOptions, USUAL_OPTIONS } from "./chart-options.ts";
import { downsample } from "./downsample.ts";
import { bestPoint, bestValue, byBest, emphasize, type Goal } from "./emphasis.ts";
import { pressure } from "./log-hint.ts";
import { ownSmoothing } from "./noise.ts";
import {
  countLeftOfZero,
  countSpecial,
  formatAtLeast,
  type LeftOut,
  leftOut,
  rangeWithoutOutliers,
} from "./outliers.ts";
import { drawingOrder } from "./palette.ts";
import { latestValue, type PlotRow, placePoints, plotRows, type RunStyle } from "./plot-rows.ts";
import { endPoint, type Range, stepsInWindow, type XOf } from "./series-window.ts";
import type { Smoothing } from "./smoothing.ts";
import type { LogAxes, SpecName } from "./specs.ts";
import { valueAtStep } from "./x-axis.ts";

const MOST_BARS = 10;

/** One run in one chart. */
export interface Trace {
  style: RunStyle;
  rows: readonly PlotRow[];
  latest: number;
  /** The best value, where the metric's name tells which are good; else NaN. */
  best: number;
}

export interface Plot {
  kind: SpecName;
  log: LogAxes;
  /** In drawing order; the last is on top. */
  traces: readonly Trace[];
  rows: PlotRow[];
  /** Short notes on what the chart does not show. */
  remarks: string[];
  /** The rows to each side over which lines are smoothed; 0 where they are not. */
  smoothing: number;
  outliers: LeftOut | null;
  /** How many times the median the largest value is that a linear axis shows by itself; else 0. */
  pressed: number;
}

/** Settings shared by all charts of a board. */
export interface DrawSettings {
  styles: ReadonlyMap<number, RunStyle>;
  hidden: ReadonlySet<string>;
  smoothing: Smoothing;
  clipOutliers: ViewTraits["clip_outliers"];
  /** Parameters of the charts, by name. */
  options: Readonly<Record<string, unknown>>;
}

/** The axes of one chart. */
export interface ChartAxes {
  x: XAxis;
  log: LogAxes;
  /** The series of the metric that is the x axis, one per run. */
  xSeries: readonly Series[];
}

export function sameAxes(a: ChartAxes, b: ChartAxes): boolean {
  return a.x === b.x && a.log.x === b.log.x && a.log.y === b.log.y && sameItems(a.xSeries, b.xSeries);
}

/** The visible ranges of a chart; null is the whole axis. */
export interface Zoom {
  readonly x: Range | null;
  readonly y: Range | null;
}

export interface ChartContent {
  series: readonly Series[];
  /** Finer series from the kernel for the zoomed range, as far as they have arrived. */
  fine: readonly Series[];
  settings: DrawSettings;
  axes: ChartAxes;
  zoom: Zoom;
}

const SPEC_OF_AXIS: Record<string, SpecName> = {
  step: "line-step",
  relative: "line-relative",
  time: "line-time",
};

/** Compute what to draw of a metric's series on `columns` pixel columns. `goal` says which values of it are good. */
export function plotOf(content: ChartContent, columns: number, options: ChartOptions = USUAL_OPTIONS): Plot {
  const { goal } = options;
  const { series, settings, axes, fine, zoom } = content;
  const byRun = new Map(series.filter(({ rows }) => rows > 0).map(each => [each.run, each]));
  const bests = new Map([...byRun].map(([run, own]) => [run, bestValue(own, goal)]));
  const visible = visibleStyles(byRun.keys(), settings);
  const isBars =
    visible.length > 0 && visible.every(style => isSinglePoint(byRun.get(style.run.key) as Series, style));
  const shown = isBars ? visible : emphasize(visible, bests, goal, options.baseline);
  const kind = ownEntry(SPEC_OF_AXIS, axes.x) ?? "line-metric";
  const log = { x: axes.log.x && axes.x !== "time", y: axes.log.y };
  const remarks: string[] = [];
  const lines = shown.map(style => {
    const own = byRun.get(style.run.key) as Series;
    const xOf = xOfPoint(axes, style);
    const finer = fine.find(({ run }) => run === own.run) ?? null;
    const placement = { sorted: axes.x !== "step", window: zoom.x, fine: finer };
    return { own, style, xOf, points: xOf ? placePoints(own, { ...placement, xOf }) : [] };
  });
  const few = downsample(
    lines.map(({ points }) => points),
    zoom.x,
    columns,
    log.x,
  );
  const drawn = lines.map(({ own }) => own);
  const { smoothing } = settings;
  const amount = smoothing.amount || (smoothing.auto ? ownSmoothing(drawn) : 0);
  const traces = lines.map(
    ({ own, style }, i): Trace => ({
      style,
      rows: plotRows(own, few[i], style, { ...smoothing, amount }, isBars ? undefined : log),
      latest: latestValue(own),
      best: bests.get(own.run) as number,
    }),
  );
  if (isBars) {
    return {
      kind: "bar",
      log,
      traces,
      rows: barRows(traces, options.baseline),
      remarks,
      outliers: null,
      smoothing: 0,
      pressed: 0,
    };
  }
  const lost = shown.filter(style => !xOfPoint(axes, style)).map(({ label }) => label);
  if (lost.length)
    remarks.push(`without ${axes.x}: ${lost.length > 2 ? `${lost.length} runs` : lost.join(", ")}`);
  const apart = log.y ? countSpecial(drawn, "not_positive") : 0;
  if (apart) remarks.push(`${apart} ${apart === 1 ? "value" : "values"} ≤ 0`);
  const left = countLeftOfZero(log.x ? lines : [], axes.x === "step");
  if (left.atLeast) remarks.push(`${formatAtLeast(left)} at x ≤ 0`);
  const odd = countSpecial(drawn, "not_finite");
  if (odd) remarks.push(`${odd} not finite`);
  const limits = options.natural && !log.y ? null : rangeWithoutOutliers(drawn, log.y, settings.clipOutliers);
  const outliers = leftOut(drawn, limits, options.yRange, log.y);
  const isUsual = !log.y && !options.natural && !options.yRange.length;
  const pressed = isUsual ? pressure(drawn, outliers?.range) : 0;
  const rows = [...traces.flatMap(trace => trace.rows), ...extraRows(lines, traces, log, options)];
  return { kind, log, traces, rows, remarks, outliers, smoothing: amount, pressed };
}

type PlacedLine = { own: Series; style: RunStyle; xOf: XOf | null };

/** Return the rows of reference lines and of the mark at the best value. */
function extraRows(
  placed: readonly PlacedLine[],
  traces: readonly Trace[],
  log: LogAxes,
  { goal, lines, marksBest }: ChartOptions,
): PlotRow[] {
  const usual = { step: Number.NaN, time: Number.NaN, part: 0, dash: [] };
  const made = lines
    .filter(value => !log.y || value > 0)
    .map((value): PlotRow => {
      const own = { run: "", value, smooth: value, x: 0, mark: "reference" as const, color: "#8a919c" };
      return { ...usual, ...own };
    });
  const best = marksBest ? bestTrace(traces, goal) : undefined;
  const line = placed.find(({ style }) => style === best?.style);
  const point = line && bestPoint(line.own, goal);
  if (!best || !line?.xOf || !point || (log.y && point.value <= 0)) return made;
  const { label, color } = line.style;
  const at = {
    ...point,
    run: literal(label),
    color,
    dash: [],
    smooth: point.value,
    x: line.xOf(point),
    part: 0,
  };
  return Number.isFinite(at.x) && (!log.x || at.x > 0) ? [...made, { ...at, mark: "best" }] : made;
}

/** Return the trace with the best value; undefined without a goal or a value. */
export function bestTrace(traces: readonly Trace[], goal: Goal): Trace | undefined {
  if (!goal) return undefined;
  const compare = byBest(goal);
  const [first] = traces.filter(({ best }) => Number.isFinite(best)).sort((a, b) => compare(a.best, b.best));
  return first;
}

/** Return the styles of the visible runs, in drawing order. */
function visibleStyles(keys: Iterable<number>, { styles, hidden }: DrawSettings): RunStyle[] {
  const runs = [...keys].map(key => styles.get(key)?.run).filter(run => run !== undefined);
  return drawingOrder(runs.filter(run => !hidden.has(run.id))).map(({ key }) => styles.get(key) as RunStyle);
}

/** Return the steps of all runs within the visible range of x; null if there are none. */
export function stepsInView({ series, settings, axes, zoom }: ChartContent): Range | null {
  const ranges = series.flatMap(each => {
    const style = settings.styles.get(each.run);
    const xOf = style && xOfPoint(axes, style);
    return xOf ? [stepsInWindow(each, zoom.x, xOf)] : [];
  });
  const known = ranges.filter(range => range !== null);
  if (!known.length) return null;
  return [Math.min(...known.map(([from]) => from)), Math.max(...known.map(([, to]) => to))];
}

/** Return the range of x of all runs. */
export function xExtentOf({ series, settings, axes }: Omit<ChartContent, "zoom">): Range | null {
  const ends = series.flatMap(each => {
    const style = settings.styles.get(each.run);
    const xOf = style && each.rows ? xOfPoint(axes, style) : null;
    return xOf ? [xOf(endPoint(each, 0, "first")), xOf(endPoint(each, each.rows - 1, "last"))] : [];
  });
  const known = ends.filter(Number.isFinite);
  return known.length ? [Math.min(...known), Math.max(...known)] : null;
}

/** Return the range of x of several metrics. */
export function xExtentOfAll(contents: readonly Omit<ChartContent, "zoom">[]): Range | null {
  const extents = contents.map(xExtentOf).filter(extent => extent !== null);
  if (!extents.length) return null;
  return [Math.min(...extents.map(([from]) => from)), Math.max(...extents.map(([, to]) => to))];
}

/** Return the function from a point to its x; null if the run lacks the metric that is the x axis. */
function xOfPoint({ x, xSeries }: ChartAxes, { run }: RunStyle): XOf | null {
  if (x === "step") return ({ step }) => step;
  if (x === "time") return ({ time }) => 1000 * time;
  if (x === "relative") return ({ time }) => 1000 * (time - run.started);
  const own = xSeries.find(series => series.run === run.key);
  if (!own) return null;
  const join = valueAtStep(own);
  return ({ step }) => join(step);
}

function isSinglePoint({ kind, rows }: Series, { run }: RunStyle): boolean {
  return kind === "points" && rows === 1 && run.state !== "running";
}

/** Return the largest bars, at most as many as are legible, each with its difference to the baseline's. */
function barRows(traces: readonly Trace[], baseline: string): PlotRow[] {
  const base = traces.find(({ style }) => style.run.id === baseline);
  const textOf = (trace: Trace, value: number) => {
    const change = trace === base ? Number.NaN : value - (base?.latest ?? Number.NaN);
    return `${formatAlone(value)}${Number.isFinite(change) ? ` (${formatChange(change, formatAlone)})` : ""}`;
  };
  const rows = traces.flatMap(trace =>
    trace.rows.slice(0, 1).map(row => ({ ...row, text: textOf(trace, row.value) })),
  );
  return rows.sort((a, b) => descending(a.value, b.value)).slice(0, MOST_BARS);
}

/** Compare for `sort`: largest first, NaN last. */
export function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? 1 : a > b ? -1 : 0;
}
