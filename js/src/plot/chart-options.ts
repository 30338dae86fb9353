/** What is set for single charts: the ends of their y axes, lines and marks. */

import type { RunHeader } from "../frames/protocol.ts";
import { globMatches, goalByName } from "../metrics.ts";
import type { Goal } from "./emphasis.ts";
import type { Range } from "./series-window.ts";

export interface ChartOptions {
  /** Which value is the best. */
  goal: Goal;
  /** The ends of the y axis; null for one that follows the data. */
  yRange: readonly (number | null)[];
  /** Values with a horizontal line. */
  lines: readonly number[];
  /** The id of the run to which latest values are compared. */
  baseline: string;
  marksBest: boolean;
  /** What the y axis shows at least; outliers are not left out of it. */
  natural: Range | null;
}

export const USUAL_OPTIONS: ChartOptions = {
  goal: null,
  yRange: [],
  lines: [],
  baseline: "",
  marksBest: false,
  natural: null,
};

/** Return the value set for a chart by its name, or by the last glob that matches; an empty list if there is none. */
export function valueFor<V>(settings: Readonly<Record<string, readonly V[]>>, chart: string): readonly V[] {
  if (Object.hasOwn(settings, chart)) return settings[chart];
  const glob = Object.keys(settings).findLast(each => globMatches(each, chart));
  return glob === undefined ? [] : settings[glob];
}

/** Return the first metric whose goal was defined, not told by its name. */
export function definedGoal(
  metrics: readonly string[],
  runs: readonly Pick<RunHeader, "goals">[],
): { metric: string; goal: "min" | "max" } | null {
  const globs = runs.flatMap(({ goals = [] }) => goals.map(([glob]) => glob));
  const metric = globs.length ? metrics.find(each => globs.some(glob => globMatches(glob, each))) : undefined;
  const goal = metric === undefined ? null : goalOf(metric, runs);
  return metric !== undefined && goal ? { metric, goal } : null;
}

/** Return the goal of a metric: as defined by its runs, else as its name says. */
export function goalOf(metric: string, runs: readonly Pick<RunHeader, "goals">[]): Goal {
  const defined = runs.flatMap(({ goals = [] }) => goals);
  const exact = defined.findLast(([glob]) => glob === metric);
  const [, goal] = exact ?? defined.findLast(([glob]) => globMatches(glob, metric)) ?? [];
  return goal === "min" || goal === "max" ? goal : goalByName(metric);
}
