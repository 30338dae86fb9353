import type { Series } from "../frames/series.ts";
import { finiteValues } from "./outliers.ts";

const LEAST_ROWS = 64; // fewer are told apart by eye
const NOISY = 0.25; // of the range of values: lines whose noise is thicker are brushes
const OWN_SMOOTHING = 8; // rows to each side; a weight of 0.89
const TAILS = 0.02;
const MOST_BENDS = 256; // of a line, evenly spread: a median of more is not seen to differ
const SECOND_DIFFERENCE = Math.sqrt(6) * 0.6745; // median size of a normal distribution's second difference

const known = new WeakMap<Series, number>();

/** Return by how many rows to each side lines are smoothed by themselves: some where most of them are noise, else 0. */
export function ownSmoothing(series: readonly Series[]): number {
  const shares = series.map(shareOfNoise).sort((a, b) => a - b);
  return shares.length && shares[Math.floor(shares.length / 2)] >= NOISY ? OWN_SMOOTHING : 0;
}

/** Return the thickness of a line's noise as a share of the range of its values, without outliers. */
function shareOfNoise(series: Series): number {
  const found = known.get(series) ?? measure(series);
  known.set(series, found);
  return found;
}

function measure(series: Series): number {
  const { kind, rows, columns } = series;
  if (rows < LEAST_ROWS) return 0;
  if (kind === "points") {
    const values = columns.value.subarray(0, rows).filter(Number.isFinite);
    const stride = Math.ceil(values.length / MOST_BENDS);
    const bends = Float64Array.from({ length: Math.floor((values.length - 2) / stride) }, (_, i) => {
      const at = i * stride;
      return Math.abs(values[at + 2] - 2 * values[at + 1] + values[at]);
    });
    return (4 * quantile(bends, 0.5)) / SECOND_DIFFERENCE / spread(finiteValues(series).sorted);
  }
  const full = [...Array(rows).keys()].filter(row => columns.count[row] > 1);
  const thickness = Float64Array.from(full, row => columns.max[row] - columns.min[row]);
  const ends = Float64Array.from(full.flatMap(row => [columns.min[row], columns.max[row]]));
  return quantile(thickness, 0.5) / spread(ends.sort());
}

function spread(sorted: Float64Array): number {
  return ofSorted(sorted, 1 - TAILS) - ofSorted(sorted, TAILS) || Number.POSITIVE_INFINITY;
}

/** Return a quantile, at one of the values; NaN of none. */
export function quantile(values: Float64Array, share: number): number {
  return ofSorted(values.slice().sort(), share);
}

function ofSorted(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}
