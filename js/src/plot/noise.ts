import type { BucketSeries, PointSeries, Series } from "../frames/series.ts";
import { finiteValues } from "./outliers.ts";

const LEAST_ROWS = 64; // fewer are told apart by eye
const NOISY = 0.25; // of the range of values: lines whose noise is thicker are brushes
const CALM = 0.15; // lines that were smoothed are so until their noise is thinner
const OWN_SMOOTHING = 8; // rows to each side; a weight of 0.89
const TAILS = 0.02;
const MOST_BENDS = 256; // of a line, evenly spread: a median of more is not seen to differ
const NORMAL_MEDIAN = 0.6745; // median size of a value of the normal distribution
const SECOND_DIFFERENCE = Math.sqrt(6) * NORMAL_MEDIAN; // and of its second differences

const known = new WeakMap<Series, number>();

/** Return by how many rows to each side lines are smoothed by themselves: some where most of them are noise, else 0. */
export function ownSmoothing(series: readonly Series[], wasSmoothed = false): number {
  const shares = series.map(shareOfNoise).sort((a, b) => a - b);
  const least = wasSmoothed ? CALM : NOISY;
  return shares.length && shares[Math.floor(shares.length / 2)] >= least ? OWN_SMOOTHING : 0;
}

/** Return the thickness of a line's noise as a share of the range of its values, without outliers. */
function shareOfNoise(series: Series): number {
  const found = known.get(series) ?? measure(series);
  known.set(series, found);
  return found;
}

function measure(series: Series): number {
  if (series.rows < LEAST_ROWS) return 0;
  return series.kind === "points" ? noiseOfPoints(series) : noiseOfBuckets(series);
}

function noiseOfPoints(series: PointSeries): number {
  const values = series.columns.value.subarray(0, series.rows).filter(Number.isFinite);
  const stride = Math.ceil(values.length / MOST_BENDS);
  const bends = Float64Array.from({ length: Math.floor((values.length - 2) / stride) }, (_, i) => {
    const at = i * stride;
    return Math.abs(values[at + 2] - 2 * values[at + 1] + values[at]);
  });
  return (4 * quantile(bends, 0.5)) / SECOND_DIFFERENCE / spread(finiteValues(series).sorted);
}

/** As thick as the buckets are drawn, or as the jumps between two: narrow buckets are thinner than the noise in them. */
function noiseOfBuckets({ rows, columns }: BucketSeries): number {
  const { count, min, max, mean, first, last } = columns;
  const full = [...Array(rows).keys()].filter(row => count[row] > 1);
  const thickness = Float64Array.from(full, row => max[row] - min[row]);
  const jumps = full.slice(1).map((row, i) => {
    const before = full[i];
    const n = (count[before] + count[row]) / 2; // values between the means, a line along which is no noise
    const jump = first[row] - last[before] - (mean[row] - mean[before]) / n;
    return Math.abs(jump) / Math.sqrt(2 * ((1 - n ** -2) ** 2 + (n - 1) * n ** -4)) / NORMAL_MEDIAN;
  });
  const finite = Float64Array.from(jumps.filter(Number.isFinite));
  const ends = Float64Array.from(full.flatMap(row => [min[row], max[row]]));
  return Math.max(quantile(thickness, 0.5), 4 * quantile(finite, 0.5) || 0) / spread(ends.sort());
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
