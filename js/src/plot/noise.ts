import type { Series } from "../frames/series.ts";

const LEAST_ROWS = 64; // fewer are told apart by eye
const NOISY = 0.25; // of the range of values: lines whose noise is thicker are brushes
const OWN_SMOOTHING = 8; // rows to each side; a weight of 0.89
const TAILS = 0.02;
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

function measure({ kind, rows, columns }: Series): number {
  if (rows < LEAST_ROWS) return 0;
  if (kind === "points") {
    const values = columns.value.subarray(0, rows).filter(Number.isFinite);
    const bends = values.subarray(2).map((value, i) => Math.abs(value - 2 * values[i + 1] + values[i]));
    return (4 * quantile(bends, 0.5)) / SECOND_DIFFERENCE / rangeWithin(values);
  }
  const full = [...Array(rows).keys()].filter(row => columns.count[row] > 1);
  const thickness = Float64Array.from(full, row => columns.max[row] - columns.min[row]);
  const ends = Float64Array.from(full.flatMap(row => [columns.min[row], columns.max[row]]));
  return quantile(thickness, 0.5) / rangeWithin(ends);
}

function rangeWithin(values: Float64Array): number {
  const sorted = values.slice().sort();
  return ofSorted(sorted, 1 - TAILS) - ofSorted(sorted, TAILS) || Number.POSITIVE_INFINITY;
}

/** Return a quantile, at one of the values; NaN of none. */
export function quantile(values: Float64Array, share: number): number {
  return ofSorted(values.slice().sort(), share);
}

function ofSorted(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}
