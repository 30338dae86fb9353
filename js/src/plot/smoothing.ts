import type { Series } from "../frames/series.ts";
import type { ViewTraits } from "../frames/view-state.ts";

export interface Smoothing {
  /** 0 turns smoothing off. */
  amount: number;
  kind: ViewTraits["smoothing_kind"];
  /** Whether an amount of 0 leaves it to the chart: lines that are noise are smoothed. */
  auto?: boolean;
}

/**
 * Return the smoothed values as a function of the step; null if smoothing is off. It uses the whole series of the
 * picture, n rows on each side, so that zooming, which brings finer rows, does not change it. Rows merged to fit a
 * frame count as several, so that runs of equal length are smoothed alike.
 */
export function smoother(series: Series, { amount, kind }: Smoothing): ((step: number) => number) | null {
  if (!amount || !series.rows) return null;
  const smooth = kind === "mean" ? movingAverage : exponentialAverage;
  const n = Math.round(amount / 2 ** (series.coarser ?? 0));
  if (series.kind === "points") {
    const { step, value } = series.columns;
    return interpolate(step, smooth(value, value.map(finite), n));
  }
  const { first_step, last_step, mean: means, count } = series.columns;
  return interpolate(
    first_step.map((first, row) => (first + last_step[row]) / 2),
    smooth(means, count, n),
  );
}

/**
 * Centred moving average over 2n + 1 rows, weighted by the number of finite values in each. The window is cut off
 * at the ends; rows of weight 0 are skipped.
 */
export function movingAverage(values: Float64Array, weights: Float64Array, n: number): Float64Array {
  // A running sum would be faster, but one huge value would blur all later ones, and the sum of a constant
  // has rounding errors, which an axis would magnify.
  return values.map((_, i) => {
    let [mean, weight] = [0, 0];
    for (let j = Math.max(0, i - n); j <= Math.min(values.length - 1, i + n); j++) {
      if (weights[j] === 0) continue;
      weight += weights[j];
      mean += ((values[j] - mean) * weights[j]) / weight;
    }
    return weight ? mean : Number.NaN;
  });
}

/** Exponential moving average: each row has n / (n + 1) times the weight of the next, so that the mean age is n rows. */
export function exponentialAverage(values: Float64Array, weights: Float64Array, n: number): Float64Array {
  let [mean, weight] = [0, 0];
  return values.map((value, i) => {
    weight *= n / (n + 1);
    if (weights[i] > 0) {
      weight += weights[i];
      mean += ((value - mean) * weights[i]) / weight;
    }
    return weight ? mean : Number.NaN;
  });
}

function finite(value: number): number {
  return Number.isFinite(value) ? 1 : 0;
}

/** Linear interpolation, constant beyond the ends; fast if places are requested in order. */
function interpolate(places: Float64Array, values: Float64Array): (place: number) => number {
  let row = 0;
  return place => {
    while (row < places.length - 1 && places[row + 1] <= place) row++;
    while (row > 0 && places[row] > place) row--;
    const next = Math.min(row + 1, places.length - 1);
    const along = (place - places[row]) / (places[next] - places[row] || 1);
    const share = Math.min(1, Math.max(0, along));
    if (share === 0 || !Number.isFinite(values[next])) return values[row];
    return values[row] + (values[next] - values[row]) * share;
  };
}
