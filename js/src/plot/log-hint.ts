import { bisectLeft, bisectRight } from "d3-array";
import type { Series } from "../frames/series.ts";
import { finiteValues } from "./outliers.ts";
import type { Range } from "./series-window.ts";

const LEAST_VALUES = 32; // fewer are read one by one
const PRESSED = 100; // times the median, from which on a linear axis shows a flat line and a spike
const CALM = 30; // the hint stays until the largest value is less

/**
 * Return how many times the median of positive values the largest one is; 0 if there are few values, or some are not positive.
 * `range` is that of an axis which leaves outliers out: only the values inside count.
 */
export function pressure(series: readonly Series[], range?: Range): number {
  const whole = series.map(each => finiteValues(each).sorted);
  if (whole.some(([least]) => least <= 0)) return 0;
  const drawn = range
    ? whole.map(values => values.slice(bisectLeft(values, range[0]), bisectRight(values, range[1])))
    : whole;
  const all = drawn.filter(({ length }) => length);
  const count = all.reduce((sum, { length }) => sum + length, 0);
  if (count < LEAST_VALUES) return 0;
  const medians = all.map(values => values[(values.length - 1) >> 1]).sort((a, b) => a - b);
  const most = all.reduce((largest, values) => Math.max(largest, values[values.length - 1]), 0);
  return most / medians[(medians.length - 1) >> 1];
}

/** Whether a chart offers a logarithmic axis. It does so without flicker, and never again once its axis was logarithmic. */
export class LogHint {
  #isOn = false;
  #isKnown = false;

  settle({ pressed, log }: { pressed: number; log: { y: boolean } }): boolean {
    this.#isKnown ||= log.y;
    this.#isOn = !this.#isKnown && pressed >= (this.#isOn ? CALM : PRESSED);
    return this.#isOn;
  }
}
