import { isSystem } from "../metrics.ts";
import type { Plot, Zoom } from "./plot.ts";
import type { Range } from "./series-window.ts";

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
): Domains {
  const { log } = plot;
  const x = zoom.x && (!log.x || zoom.x[0] > 0) ? zoom.x : null;
  if (zoom.y && (!log.y || zoom.y[0] > 0)) return { x, y: zoom.y };
  const rows = plot.rows.filter(({ mark }) => mark === "line" || mark === "dot");
  const seen = x ? rows.filter(row => row.x >= x[0] && row.x <= x[1]) : rows;
  const values = seen
    .flatMap(({ value, smooth, low, high }) => [value, smooth, low, high])
    .filter(value => value !== undefined && Number.isFinite(value)) as number[];
  if (!values.length) return { x, y: null };
  const inside = limits ? values.filter(value => value >= limits[0] && value <= limits[1]) : values;
  if (natural && !log.y) return { x, y: withNatural(rangeOf(values), natural) };
  const [low, high] = rangeOf(inside.length ? inside : values); // a chart zoomed to outliers shows them
  const clipped = inside.length > 0 && inside.length < values.length;
  if (!x && !log.y && !clipped && low < high && rows.some(({ mark }) => mark === "line"))
    return { x, y: null };
  const [scale, unscale] = log.y ? [Math.log, Math.exp] : [Number, Number];
  const [bottom, top] = [scale(low), scale(high)];
  const air = (top - bottom || (log.y ? 1 : Math.abs(top)) || 1) * PADDING;
  return { x, y: [unscale(bottom - air), unscale(top + air)] };
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
