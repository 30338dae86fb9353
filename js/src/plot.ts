import { formatValue } from "./format.ts";
import { drawingOrder } from "./palette.ts";
import { latest, type Row, rowsOf, type Styled } from "./rows.ts";
import type { Series } from "./series.ts";
import type { XAxis } from "./view-state.ts";

const MOST_BARS = 10;

export type Kind = `line-${XAxis}` | "bar";

/** One run in one chart. */
export interface Trace {
  style: Styled;
  rows: readonly Row[];
  latest: number;
}

export interface Plot {
  kind: Kind;
  /** In drawing order: the last lies on top. */
  traces: readonly Trace[];
  rows: Row[];
}

export interface Look {
  styles: ReadonlyMap<number, Styled>;
  hidden: ReadonlySet<string>;
  xAxis: XAxis;
  smoothing: number;
}

export type Range = readonly [from: number, to: number];

/** What to draw of one metric's series, in at most so many buckets a run. */
export function plotOf(
  series: readonly Series[],
  { styles, hidden, ...detail }: Look,
  columns: number,
): Plot {
  const byRun = new Map(series.filter(({ rows }) => rows > 0).map(each => [each.run, each]));
  const runs = [...byRun.keys()].map(key => styles.get(key)?.run).filter(run => run !== undefined);
  const traces = drawingOrder(runs.filter(run => !hidden.has(run.id))).map(({ key }): Trace => {
    const [style, own] = [styles.get(key) as Styled, byRun.get(key) as Series];
    return { style, rows: rowsOf(own, style, { ...detail, columns }), latest: latest(own) };
  });
  const single = traces.length > 0 && traces.every(isSingle);
  const kind: Kind = single ? "bar" : `line-${detail.xAxis}`;
  const rows = single ? barRows(traces) : traces.flatMap(trace => trace.rows);
  return { kind, traces, rows };
}

function isSingle({ rows, style }: Trace): boolean {
  return rows.length === 1 && style.run.state !== "running";
}

/** The largest first, as many as can be read. */
function barRows(traces: readonly Trace[]): Row[] {
  const rows = traces.map(({ rows: [row] }) => ({ ...row, text: formatValue(row.value) }));
  return rows.sort((a, b) => descending(a.value, b.value)).slice(0, MOST_BARS);
}

/** What the y axis spans where it does not simply follow the data: zoomed in, one value only, or lonely dots. */
export function valueWindow({ traces }: Plot, zoom: Range | null): Range | null {
  const rows = traces.flatMap(trace => trace.rows).filter(({ value }) => Number.isFinite(value));
  const seen = zoom ? rows.filter(({ x }) => x >= zoom[0] && x <= zoom[1]) : rows;
  if (!seen.length) return null;
  let [low, high] = [Infinity, -Infinity];
  for (const { value, smooth } of seen) {
    low = Math.min(low, value, smooth);
    high = Math.max(high, value, smooth);
  }
  if (!zoom && low < high && rows.some(({ mark }) => mark === "line")) return null;
  const air = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - air, high + air];
}

/** An order for `sort`: the largest first, NaN last. */
export function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? 1 : a > b ? -1 : 0;
}
