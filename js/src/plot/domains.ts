import type { Plot, Zoom } from "./plot.ts";
import type { Range } from "./slices.ts";

const PADDING = 0.05; // of the axis, above and below
const TAILS = 0.02; // share of the values at either end that may be outliers
const OUTLIER_DISTANCE = 0.25; // of the span between the tails; values farther out are outliers

interface Domains {
  x: Range | null;
  y: Range | null;
  /** How many visible values lie outside `y`. */
  outside: number;
}

/** Compute the axis domains; null means that an axis follows its data. */
export function domainsOf(plot: Plot, zoom: Zoom, clipOutliers: boolean): Domains {
  const { log } = plot;
  const x = zoom.x && (!log.x || zoom.x[0] > 0) ? zoom.x : null;
  if (zoom.y && (!log.y || zoom.y[0] > 0)) return { x, y: zoom.y, outside: 0 };
  const rows = plot.rows.filter(({ mark }) => mark === "line" || mark === "dot");
  const seen = x ? rows.filter(row => row.x >= x[0] && row.x <= x[1]) : rows;
  if (!seen.length) return { x, y: null, outside: 0 };
  const scale = log.y ? Math.log : (value: number) => value;
  const unscale = log.y ? Math.exp : scale;
  const values = Float64Array.from(
    seen.flatMap(({ value, smooth, low, high }) =>
      [value, smooth, low, high]
        .filter(each => each !== undefined && Number.isFinite(each))
        .map(each => scale(each as number)),
    ),
  ).sort();
  const all: Range = [values[0], values[values.length - 1]];
  const [low, high] = clipOutliers ? withoutOutliers(values) : all;
  const outside = seen.filter(({ value }) => scale(value) < low || scale(value) > high).length;
  const plain = !x && !log.y && !outside && low < high && rows.some(({ mark }) => mark === "line");
  if (plain) return { x, y: null, outside };
  const air = (high - low || (log.y ? 1 : Math.abs(high)) || 1) * PADDING;
  return { x, y: [unscale(low - air), unscale(high + air)], outside };
}

/** Return the range of the values without those far beyond the tails. */
function withoutOutliers(sorted: Float64Array): Range {
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  const [low, high] = [at(TAILS), at(1 - TAILS)];
  const reach = (high - low) * OUTLIER_DISTANCE;
  return [Math.max(sorted[0], low - reach), Math.min(sorted[sorted.length - 1], high + reach)];
}
