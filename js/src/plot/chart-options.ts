/** What is set for single charts: the ends of their y axes, lines and marks. */

import type { RunHeader } from "../frames/protocol.ts";
import { globMatches, goalByName } from "../metrics.ts";
import type { Goal } from "./emphasis.ts";

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
}

export const USUAL_OPTIONS: ChartOptions = {
  goal: null,
  yRange: [],
  lines: [],
  baseline: "",
  marksBest: false,
};

/** Return the value set for a chart by its name, or by the last glob that matches; an empty list if there is none. */
export function valueFor<V>(settings: Readonly<Record<string, readonly V[]>>, chart: string): readonly V[] {
  if (Object.hasOwn(settings, chart)) return settings[chart];
  const glob = Object.keys(settings).findLast(each => globMatches(each, chart));
  return glob === undefined ? [] : settings[glob];
}

/** Return the goal of a metric: as defined by its runs, else as its name says. */
export function goalOf(metric: string, runs: readonly Pick<RunHeader, "goals">[]): Goal {
  const defined = runs.flatMap(({ goals = [] }) => goals);
  const exact = defined.findLast(([glob]) => glob === metric);
  const [, goal] = exact ?? defined.findLast(([glob]) => globMatches(glob, metric)) ?? [];
  return goal === "min" || goal === "max" ? goal : goalByName(metric);
}
