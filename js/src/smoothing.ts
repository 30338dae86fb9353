/**
 * The centred moving average over 2n + 1 rows, each weighted by how many finite values it stands for. At the ends the
 * window is cut off, so that nothing is invented; a row of weight 0 counts for nothing.
 */
export function smooth(values: Float64Array, weights: Float64Array, n: number): Float64Array {
  if (n === 0) return values;
  // A running sum would be faster, but one huge value would then blur all that follow it, and the sum of a constant is
  // off by a rounding error that an axis would fill the chart with.
  return values.map((_, i) => {
    let [mean, weight] = [0, 0];
    for (let j = Math.max(0, i - n); j <= Math.min(values.length - 1, i + n); j++) {
      if (weights[j] === 0) continue;
      weight += weights[j];
      mean += ((values[j] - mean) * weights[j]) / weight;
    }
    return weight ? mean : NaN;
  });
}
