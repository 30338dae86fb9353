import type { Picture } from "../frames/picture.ts";
import { definedGoal } from "../plot/chart-options.ts";
import { bestValue, goalSign } from "../plot/emphasis.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { formatChange, formatValue } from "../ui/format.ts";

/** What stands beside a run's name. */
export interface LegendValue {
  text: string;
  title: string;
}

/**
 * Return the function from a run to its best value of the first metric whose goal was defined, with the difference to the
 * baseline's. It returns null for a run without such a value, and always where no goal was defined.
 */
export function legendValues(picture: Picture, baseline: string): (style: RunStyle) => LegendValue | null {
  const { metrics, runs, series } = picture;
  const found = definedGoal(metrics, runs);
  if (!found) return () => null;
  const { metric, goal } = found;
  const number = metrics.indexOf(metric);
  const own = new Map(series.filter(each => each.metric === number).map(each => [each.run, each]));
  const bestOf = (key: number | undefined) => {
    const one = own.get(key ?? Number.NaN);
    return one ? bestValue(one, goal) : Number.NaN;
  };
  const base = bestOf(runs.find(({ id }) => id === baseline)?.key);
  return ({ run }) => {
    const best = bestOf(run.key);
    if (Number.isNaN(best)) return null;
    const change = run.id === baseline ? Number.NaN : best - base;
    const delta = Number.isFinite(change) ? ` (${formatChange(change)})` : "";
    const what = goal === "min" ? "Smallest" : "Largest";
    return {
      text: `${goalSign(goal)} ${formatValue(best)}${delta}`,
      title: `${what} ${metric}${delta && ", and the difference to the baseline's"}`,
    };
  };
}
