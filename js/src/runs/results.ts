import type { RunEntry } from "../frames/runs-table.ts";
import { type Goal, goalSign } from "../plot/emphasis.ts";
import { formatChange, formatValue } from "../ui/format.ts";

/** Return last and best value of each metric that a run logged, with their differences to the baseline. */
export function resultsOf(
  entry: RunEntry,
  baseline: RunEntry | undefined,
  metrics: readonly string[],
  goalOf: (metric: string) => Goal,
): [metric: string, text: string][] {
  const text = (which: "last" | "min" | "max", metric: string) => {
    const value = entry.statistic(which, metric) as number;
    const base = baseline === entry ? undefined : baseline?.statistic(which, metric);
    const change = value - (base ?? Number.NaN);
    return formatValue(value) + (Number.isFinite(change) ? ` (${formatChange(change)})` : "");
  };
  return metrics
    .filter(metric => entry.statistic("last", metric) !== undefined)
    .map(metric => {
      const goal = goalOf(metric);
      const best = goal ? ` · best ${goalSign(goal)} ${text(goal, metric)}` : "";
      return [metric, text("last", metric) + best];
    });
}
