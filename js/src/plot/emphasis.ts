/** Of many lines, which are drawn strong: the best run's, the current one's and the baseline's. */

import type { Series } from "../frames/series.ts";
import type { RunStyle } from "./plot-rows.ts";

export const MOST_STRONG = 20; // lines of a chart; of more all but two or three are faint

export type Goal = "min" | "max" | null;

/** Return the sign before a best value. */
export function goalSign(goal: Goal): string {
  return goal === "min" ? "↓" : "↑";
}

/** Return the smallest or largest finite value of a series; NaN if it has none, or without a goal. */
export function bestValue({ kind, columns, rows }: Series, goal: Goal): number {
  if (!goal) return Number.NaN;
  const values = kind === "points" ? columns.value : goal === "min" ? columns.min : columns.max;
  let best = Number.NaN;
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    if (Number.isFinite(value) && !(goal === "min" ? value >= best : value <= best)) best = value;
  }
  return best;
}

/** Return the point with the best value; undefined if there is none. */
export function bestPoint(
  series: Series,
  goal: Goal,
): { step: number; time: number; value: number } | undefined {
  const best = bestValue(series, goal);
  if (!goal || !Number.isFinite(best)) return undefined;
  const { kind, columns } = series;
  const values = kind === "points" ? columns.value : columns[goal];
  const row = values.subarray(0, series.rows).indexOf(best);
  return kind === "points"
    ? { step: columns.step[row], time: columns.time[row], value: best }
    : { step: columns[`${goal}_step`][row], time: columns[`${goal}_time`][row], value: best };
}

/** Compare for `sort`: the best first, NaN last; all are equal without a goal. */
export function byBest(goal: Goal) {
  return (a: number, b: number) => {
    if (!goal) return 0;
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return goal === "min" ? a - b : b - a;
  };
}

/**
 * Return the styles in drawing order: of many lines the others faint, then those of the baseline, by its id, and of the best
 * run, then the current one's, which comes last in `styles`.
 */
export function emphasize(
  styles: readonly RunStyle[],
  bests: ReadonlyMap<number, number>,
  goal: Goal,
  baseline = "",
): RunStyle[] {
  if (styles.length <= MOST_STRONG) return [...styles];
  const current = styles[styles.length - 1];
  const compare = byBest(goal);
  const bestOf = ({ run }: RunStyle) => bests.get(run.key) ?? Number.NaN;
  const first = styles.reduce((a, b) => (compare(bestOf(b), bestOf(a)) < 0 ? b : a));
  const best = Number.isNaN(bestOf(first)) ? current : first;
  const base = styles.filter(style => style.run.id === baseline && style !== best && style !== current);
  const others = styles.filter(style => style !== best && style !== current && !base.includes(style));
  const opacity = opacityOf(styles.length);
  const faint = others.map(style => ({ ...style, color: style.color.slice(0, 7) + opacity, faint: true }));
  return [...faint, ...base, ...(best === current ? [] : [best]), current];
}

/** Return the opacity of faint lines as two hexadecimal digits: the more there are, the less each may cover. */
function opacityOf(lines: number): string {
  const opacity = Math.max(0.14, Math.min(0.5, 2.4 / Math.sqrt(lines)));
  return Math.round(255 * opacity)
    .toString(16)
    .padStart(2, "0");
}
