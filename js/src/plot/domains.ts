import { isSystem } from "../metrics.ts";
import { quantile } from "./noise.ts";
import { askedEnd, padded } from "./outliers.ts";
import type { Plot, Zoom } from "./plot.ts";
import type { PlotRow } from "./plot-rows.ts";
import type { Range } from "./series-window.ts";

const FAINT_TAILS = 0.1; // share of a faint line's values at either end that the axis may leave out
const PADDING = 0.05; // of the axis, above and below

interface Domains {
  x: Range | null;
  y: Range | null;
}

/** Return the range that the y axis of a system metric always includes: percents 0 to 100, sizes from 0. */
export function naturalRange(metric: string): Range | null {
  if (!isSystem(metric)) return null;
  return metric.endsWith("%") ? [0, 100] : /\b[KMGT]?B(\/s)?$/.test(metric) ? [0, 0] : null;
}

/**
 * Compute the axis domains; null means that an axis follows its data. `limits` is the range of y without outliers,
 * `natural` what it spans at least.
 */
export function domainsOf(
  plot: Plot,
  zoom: Zoom,
  limits: Range | null = null,
  natural: Range | null = null,
  asked: readonly (number | null)[] = [],
): Domains {
  const { log } = plot;
  const x = zoom.x && (!log.x || zoom.x[0] > 0) ? zoom.x : null;
  if (zoom.y && (!log.y || zoom.y[0] > 0)) return { x, y: zoom.y };
  const y = yRange(plot, x, limits, natural);
  const [low, high] = asked.map(end => askedEnd(end, log.y));
  if (!asked.length || (low === null && high === null)) return { x, y };
  const data = y ?? rangeOf(valuesOf(plot, x));
  const ends: Range = [low ?? data[0], high ?? data[1]];
  return { x, y: ends[0] < ends[1] ? ends : y };
}

/**
 * Return the finite values that the y axis shows, within a range of x, and those of the reference lines. Of smoothed lines these
 * are the smoothed values and most of those as logged: not the spikes of the faint line behind.
 */
function valuesOf({ rows, smoothing }: Plot, x: Range | null): number[] {
  const values: number[] = [];
  const logged: number[] = [];
  const add = (value: number | undefined) => {
    if (value !== undefined && Number.isFinite(value)) values.push(value);
  };
  for (const row of rows) {
    if (!isOnAxis(row) || (x && row.mark !== "reference" && (row.x < x[0] || row.x > x[1]))) continue;
    if (smoothing && row.mark === "line") logged.push(row.value);
    else if (row.value !== row.smooth) add(row.value);
    add(row.smooth);
    add(row.low);
    add(row.high);
  }
  for (const share of [FAINT_TAILS, 1 - FAINT_TAILS]) add(quantile(Float64Array.from(logged), share));
  return values;
}

function isOnAxis({ mark }: PlotRow): boolean {
  return mark === "line" || mark === "dot" || mark === "reference";
}

/** Return the range of the y axis; null if it follows its data. */
function yRange(plot: Plot, x: Range | null, limits: Range | null, natural: Range | null): Range | null {
  const { log, rows } = plot;
  const values = valuesOf(plot, x);
  if (!values.length) return null;
  const inside = limits ? values.filter(value => value >= limits[0] && value <= limits[1]) : values;
  if (natural && !log.y) return withNatural(rangeOf(values), natural);
  const clipped = inside.length > 0 && inside.length < values.length;
  if (limits && clipped && !x && !plot.smoothing) return padded(limits, log.y);
  const [low, high] = rangeOf(inside.length ? inside : values); // a chart zoomed to outliers shows them
  if (!x && !log.y && !clipped && !plot.smoothing && low < high && rows.some(({ mark }) => mark === "line"))
    return null;
  return padded([low, high], log.y);
}

/** Add space only at an end that the data exceed. */
function withNatural([low, high]: Range, [from, to]: Range): Range {
  const [bottom, top] = [Math.min(low, from), Math.max(high, to)];
  const air = (top - bottom || 1) * PADDING;
  return [bottom < from ? bottom - air : bottom, top > to ? top + air : top];
}

function rangeOf(values: readonly number[]): Range {
  let [low, high] = [values[0], values[0]];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}
