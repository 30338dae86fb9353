import type { Picture } from "../frames/picture.ts";
import type { ViewState } from "../frames/view-state.ts";
import { logged } from "../metrics.ts";
import type { DrawSettings } from "../plot/plot.ts";

export const NO_CHARTS_YET = "Charts appear here with the first tb.log({…}).";

/** Return why a board with the charts `shown` draws nothing; empty if it draws. */
export function whyEmpty(
  { metrics, runs }: Picture,
  shown: readonly string[],
  { hidden }: DrawSettings,
  state: ViewState,
): string {
  if (!logged(metrics).length && !logged(shown).length)
    return runs.length && !isRunning({ runs }) ? "Nothing was logged." : NO_CHARTS_YET;
  const filter = state.get("metric_filter");
  if (!shown.length && filter) return `No metric matches “${filter}”.`;
  if (!shown.length) return `Not logged yet: ${state.get("shown_metrics").join(", ")}.`;
  return runs.length && runs.every(({ id }) => hidden.has(id)) ? "All runs are hidden." : "";
}

export function isRunning({ runs }: Pick<Picture, "runs">): boolean {
  return runs.some(({ state }) => state === "running");
}
