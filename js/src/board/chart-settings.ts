import type { ViewState } from "../frames/view-state.ts";
import { ownEntry } from "../metrics.ts";
import { type ChartOptions, goalOf, valueFor } from "../plot/chart-options.ts";
import { naturalRange } from "../plot/domains.ts";
import { styleRuns } from "../plot/palette.ts";
import type { DrawSettings } from "../plot/plot.ts";
import type { LogAxes } from "../plot/specs.ts";
import type { Theme } from "../ui/theme.ts";
import type { DrawnPicture, Sidebar } from "./sidebar.ts";

/**
 * What charts are drawn by, from the view's settings. Unchanged settings are the same object, so that charts can compare
 * them cheaply.
 */
export class ChartSettings {
  #state: ViewState;
  #sidebar: Sidebar;
  #ofAll: { key: string; value: DrawSettings } | null = null;
  #ofChart = new Map<string, { key: string; options: ChartOptions }>();

  constructor(state: ViewState, sidebar: Sidebar) {
    [this.#state, this.#sidebar] = [state, sidebar];
  }

  /** Return the settings of all charts. */
  ofAll(drawn: DrawnPicture, theme: Theme, strong = false): DrawSettings {
    const { runs } = drawn;
    const { colors } = this.#sidebar.colors(theme, drawn.now);
    const hidden = this.#sidebar.hidden(drawn);
    const smoothing = {
      amount: this.#state.get("smoothing"),
      kind: this.#state.get("smoothing_kind"),
      auto: this.#state.get("auto_smoothing"),
    };
    const clipOutliers = this.#state.get("clip_outliers");
    const options = this.#state.chartOptions;
    const known = runs.map(({ key, id, name, state, started, faded }) => [
      key,
      id,
      name,
      state,
      started,
      faded,
      colors[id],
    ]);
    const key = JSON.stringify([theme, strong, hidden, smoothing, clipOutliers, options, known]);
    if (this.#ofAll?.key !== key) {
      const out = new Set(hidden);
      const styles = styleRuns(runs, theme, colors, strong, out);
      const value = { styles, hidden: out, smoothing, clipOutliers, options };
      this.#ofAll = { key, value };
    }
    return this.#ofAll.value;
  }

  /** Return the options of a chart of `metrics`. */
  of(chart: string, metrics: readonly string[], { runs }: DrawnPicture): ChartOptions {
    const goals = new Set(metrics.map(metric => goalOf(metric, runs)));
    const [goal] = goals;
    const options: ChartOptions = {
      goal: goals.size === 1 ? goal : null,
      yRange: valueFor(this.#state.get("y_ranges"), chart),
      lines: valueFor(this.#state.get("reference_lines"), chart).filter(value => value !== null),
      baseline: this.#state.get("baseline"),
      marksBest: this.#state.get("best_marks"),
      natural: naturalRange(chart),
    };
    const key = JSON.stringify(options);
    const known = this.#ofChart.get(chart);
    if (known?.key === key) return known.options;
    this.#ofChart.set(chart, { key, options });
    return options;
  }

  setRange(chart: string, range: readonly (number | null)[]) {
    this.#state.set("y_ranges", withEntry(this.#state.get("y_ranges"), chart, [...range]));
  }

  setLines(chart: string, values: readonly number[]) {
    const lines = this.#state.get("reference_lines");
    this.#state.set("reference_lines", withEntry<number | null>(lines, chart, [...values]));
  }

  // --- log scales

  logAxes(chart: string): LogAxes {
    const y = ownEntry(this.#state.get("y_scales"), chart) ?? this.#state.get("y_scale");
    return { x: this.#state.get("x_scale") === "log", y: y === "log" };
  }

  get isLogEverywhere(): boolean {
    return this.#state.get("y_scale") === "log";
  }

  setLog(chart: string, log: boolean) {
    const { [chart]: _, ...others } = this.#state.get("y_scales");
    const own = { [chart]: log ? "log" : "linear" };
    this.#state.set("y_scales", log === this.isLogEverywhere ? others : { ...others, ...own });
  }

  setLogEverywhere(log: boolean) {
    this.#state.set("y_scales", {});
    this.#state.set("y_scale", log ? "log" : "linear");
  }
}

/** Return the settings with a chart's own; an empty one removes it. */
function withEntry<V>(settings: Readonly<Record<string, V[]>>, chart: string, own: V[]): Record<string, V[]> {
  const { [chart]: _, ...others } = settings;
  return own.length ? { ...others, [chart]: own } : others;
}
