import type { Series } from "../frames/series.ts";
import type { XAxis } from "../frames/view-state.ts";
import { formatValue } from "../ui/format.ts";
import { joined } from "./join.ts";
import { atPixels } from "./m4.ts";
import { drawingOrder } from "./palette.ts";
import { latest, placed, type Row, rowsOf, type Styled } from "./rows.ts";
import { endOf, type Range, stepsIn } from "./slices.ts";
import type { Smoothing } from "./smoothing.ts";
import type { Logarithmic, SpecName } from "./specs.ts";

export type { Range } from "./slices.ts";

const MOST_BARS = 10;

/** One run in one chart. */
export interface Trace {
  style: Styled;
  rows: readonly Row[];
  latest: number;
}

export interface Plot {
  kind: SpecName;
  log: Logarithmic;
  /** In drawing order: the last lies on top. */
  traces: readonly Trace[];
  rows: Row[];
  /** What a reader could miss, in a few words each. */
  remarks: string[];
}

/** How all charts of a board are drawn. */
export interface Look {
  styles: ReadonlyMap<number, Styled>;
  hidden: ReadonlySet<string>;
  smoothing: Smoothing;
  clipOutliers: boolean;
}

/** What is on the axes of one chart. */
export interface Axes {
  x: XAxis;
  log: Logarithmic;
  /** Of the metric that is the x axis, by run. */
  knots: readonly Series[];
}

export function sameAxes(a: Axes, b: Axes): boolean {
  return a.x === b.x && a.log.x === b.log.x && a.log.y === b.log.y && sameItems(a.knots, b.knots);
}

export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** What of a chart is to be seen: all of it, or what was zoomed to. */
export interface Zoom {
  readonly x: Range | null;
  readonly y: Range | null;
}

export interface Content {
  series: readonly Series[];
  /** Finer rows for what is zoomed to, as far as the kernel has answered. */
  fine: readonly Series[];
  look: Look;
  axes: Axes;
  zoom: Zoom;
}

const KINDS: Record<string, SpecName> = {
  step: "line-step",
  relative: "line-relative",
  time: "line-time",
};

/** What to draw of one metric's series, on so many pixels. */
export function plotOf(content: Content, columns: number): Plot {
  const { series, look, axes, fine, zoom } = content;
  const byRun = new Map(series.filter(({ rows }) => rows > 0).map(each => [each.run, each]));
  const shown = visible(byRun.keys(), look);
  const kind = KINDS[axes.x] ?? "line-metric";
  const log = { x: axes.log.x && axes.x !== "time", y: axes.log.y };
  const remarks: string[] = [];
  const lines = shown.map(style => {
    const own = byRun.get(style.run.key) as Series;
    const place = placeOf(axes, style);
    const finer = fine.find(({ run }) => run === own.run) ?? null;
    const placing = { sorted: axes.x !== "step", window: zoom.x, fine: finer };
    return { own, style, points: place ? placed(own, { ...placing, place }) : [] };
  });
  const few = atPixels(
    lines.map(({ points }) => points),
    zoom.x,
    columns,
    log.x,
  );
  const traces = lines.map(
    ({ own, style }, i): Trace => ({
      style,
      rows: rowsOf(own, few[i], style, look.smoothing),
      latest: latest(own),
    }),
  );
  if (shown.length && shown.every(style => isSingle(byRun.get(style.run.key) as Series, style))) {
    return { kind: "bar", log, traces, rows: barRows(traces), remarks };
  }
  const lost = shown.filter(style => !placeOf(axes, style)).map(({ label }) => label);
  if (lost.length)
    remarks.push(`without ${axes.x}: ${lost.length > 2 ? `${lost.length} runs` : lost.join(", ")}`);
  const fitted = onLogarithms(traces, log, remarks);
  return { kind, log, traces: fitted, rows: fitted.flatMap(trace => trace.rows), remarks };
}

/** In drawing order. */
function visible(keys: Iterable<number>, { styles, hidden }: Look): Styled[] {
  const runs = [...keys].map(key => styles.get(key)?.run).filter(run => run !== undefined);
  return drawingOrder(runs.filter(run => !hidden.has(run.id))).map(({ key }) => styles.get(key) as Styled);
}

/** The steps that a window of x shows, of all runs together; null: none. */
export function stepsOf({ series, look, axes, zoom }: Content): Range | null {
  const ranges = series.flatMap(each => {
    const style = look.styles.get(each.run);
    const place = style && placeOf(axes, style);
    return place ? [stepsIn(each, zoom.x, place)] : [];
  });
  const known = ranges.filter(range => range !== null);
  if (!known.length) return null;
  return [Math.min(...known.map(([from]) => from)), Math.max(...known.map(([, to]) => to))];
}

/** From the first x of all to the last. */
export function extentOf({ series, look, axes }: Omit<Content, "zoom">): Range | null {
  const ends = series.flatMap(each => {
    const style = look.styles.get(each.run);
    const place = style && each.rows ? placeOf(axes, style) : null;
    return place ? [place(endOf(each, 0, "first")), place(endOf(each, each.rows - 1, "last"))] : [];
  });
  const known = ends.filter(Number.isFinite);
  return known.length ? [Math.min(...known), Math.max(...known)] : null;
}

type Place = (point: { step: number; time: number }) => number;

/** Null where the run does not have the metric that is the x axis. */
function placeOf({ x, knots }: Axes, { run }: Styled): Place | null {
  if (x === "step") return ({ step }) => step;
  if (x === "time") return ({ time }) => 1000 * time;
  if (x === "relative") return ({ time }) => 1000 * (time - run.started);
  const own = knots.find(series => series.run === run.key);
  if (!own) return null;
  const join = joined(own);
  return ({ step }) => join(step);
}

/** Where an axis is logarithmic, values that have no place on it become marks, or go, and are counted. */
function onLogarithms(traces: readonly Trace[], log: Logarithmic, remarks: string[]): readonly Trace[] {
  let [left, below] = [0, 0];
  const fit = (row: Row): Row[] => {
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

function isSingle({ kind, rows }: Series, { run }: Styled): boolean {
  return kind === "points" && rows === 1 && run.state !== "running";
}

/** The largest first, as many as can be read. */
function barRows(traces: readonly Trace[]): Row[] {
  const rows = traces.flatMap(({ rows: [row] }) => (row ? [{ ...row, text: formatValue(row.value) }] : []));
  return rows.sort((a, b) => descending(a.value, b.value)).slice(0, MOST_BARS);
}

/** An order for `sort`: the largest first, NaN last. */
export function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? 1 : a > b ? -1 : 0;
}
