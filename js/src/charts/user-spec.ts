import { double, type Series } from "../frames/series.ts";
import { globMatches, logged, splitMetric } from "../metrics.ts";
import { type ChartAxes, type DrawSettings, plotOf } from "../plot/plot.ts";
import type { PlotRow } from "../plot/rows.ts";

const MOST_ROWS = 20_000; // a chart may ask for every metric of every run, and has to draw within a frame or so

/** A chart of the user's own, as `src/trackbook/_charted.py` sends it: a Vega-Lite specification of `points`. */
export interface UserChartSpec {
  name: string;
  spec: Record<string, unknown>;
  /** Names or globs of the metrics whose rows it gets; none: see `membersOf`. */
  metrics: readonly string[];
  /** Two charts of one key are the same. */
  key: string;
}

/** A row of `points` as a user's chart has it, which may draw several metrics. */
export type UserChartRow = PlotRow & { metric: string };

const read = new WeakMap<object, ReadonlyMap<string, UserChartSpec>>();

/** The trait `charts` by name: the same objects as long as the trait is the same. */
export function readUserCharts(trait: unknown): ReadonlyMap<string, UserChartSpec> {
  if (!Array.isArray(trait)) return new Map();
  const known =
    read.get(trait) ??
    new Map((trait as UserChartSpec[]).map(chart => [chart.name, { ...chart, key: JSON.stringify(chart) }]));
  read.set(trait, known);
  return known;
}

/** The metrics whose rows a chart gets: those it asked for, else its own, else its group's, else all. */
export function metricsOf(
  { name, metrics: globs }: Pick<UserChartSpec, "name" | "metrics">,
  metrics: readonly string[],
): string[] {
  if (globs.length) return metrics.filter(metric => globs.some(glob => globMatches(glob, metric)));
  if (metrics.includes(name)) return [name];
  const { group } = splitMetric(name);
  const own = metrics.filter(metric => splitMetric(metric).group === group);
  return own.length ? own : logged(metrics);
}

/** Charts of several views, which cannot be fitted into a box: they take a row of the board for themselves. */
export function isComposite({ spec }: Pick<UserChartSpec, "spec">): boolean {
  const encoding = Object.keys((spec.encoding ?? {}) as object);
  return (
    !("mark" in spec || "layer" in spec) ||
    encoding.some(channel => ["row", "column", "facet"].includes(channel))
  );
}

/** One metric of those that a user's chart draws. */
export interface UserChartPart {
  metric: string;
  series: readonly Series[];
  axes: ChartAxes;
}

const NO_ZOOM = { x: null, y: null };

/** What a user's chart draws: the rows of all its metrics, each with the metric's name. */
export function userChartRows(
  parts: readonly UserChartPart[],
  look: DrawSettings,
  columns: number,
): UserChartRow[] {
  const count = parts.reduce((sum, { series }) => sum + series.length, 0);
  const share = MOST_ROWS / Math.max(1, count);
  return parts.flatMap(({ metric, series, axes }) => {
    const few = series.map(each => coarsened(each, share));
    const { traces } = plotOf({ series: few, fine: [], look, axes, zoom: NO_ZOOM }, columns);
    return traces.flatMap(({ rows }) => rows.map(row => ({ ...row, metric })));
  });
}

function coarsened(series: Series, rows: number): Series {
  let few = series;
  while (few.rows * (few.kind === "points" ? 1 : 4) > rows && few.rows > 1) few = double(few);
  return few;
}
