import type { RunsTable, Scalar } from "../frames/runs-table.ts";
import { double, type Series } from "../frames/series.ts";
import { globMatches, literal, logged, splitMetric } from "../metrics.ts";
import { type ChartAxes, type DrawSettings, plotOf } from "../plot/plot.ts";
import type { PlotRow, RunStyle } from "../plot/plot-rows.ts";

const MOST_ROWS = 20_000; // a chart may use every metric of every run, but must draw within about a frame

/** A user's chart, as `src/trackbook/boards/chart_access.py` sends it: a Vega-Lite spec of the dataset `points`. */
export interface UserChartSpec {
  name: string;
  spec: Record<string, unknown>;
  /** Names or globs of the metrics to draw; if empty, see `metricsOf`. */
  metrics: readonly string[];
  /** Equal for equal charts. */
  key: string;
}

/** A config by its keys; dotted keys of the table are nested, as in Python. */
export type NestedConfig = { [key: string]: Scalar | NestedConfig };

/** A row of `points` in a user's chart, which may draw several metrics. */
export type UserChartRow = PlotRow & { metric: string; group: string | null; config: NestedConfig };

const nested = new WeakMap<RunsTable, ReadonlyMap<string, NestedConfig>>();

/** Return the configs of a table's runs by id; the same object for the same table. */
export function configsOf(table: RunsTable): ReadonlyMap<string, NestedConfig> {
  const known = nested.get(table) ?? new Map(table.runs.map(({ id, config }) => [id, nest(config)]));
  nested.set(table, known);
  return known;
}

function nest(flat: ReadonlyMap<string, Scalar>): NestedConfig {
  const config: NestedConfig = Object.create(null);
  for (const [key, value] of flat) {
    const names = key.split(".");
    const last = names.pop() as string;
    let inner = config;
    for (const name of names) {
      const found = inner[name];
      const deeper: NestedConfig = typeof found === "object" && found ? found : Object.create(null);
      inner[name] = deeper;
      inner = deeper;
    }
    inner[last] = value;
  }
  return config;
}

/** Return a spec whose encodings of `run` by colour have the colours of the board, unless they have a scale of their own. */
export function withRunColors(
  spec: Readonly<Record<string, unknown>>,
  styles: readonly Pick<RunStyle, "label" | "color">[],
): Record<string, unknown> {
  const scale = {
    domain: styles.map(({ label }) => literal(label)),
    range: styles.map(({ color }) => color.slice(0, 7)),
  };
  const colored = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(colored);
    if (typeof node !== "object" || !node) return node;
    const copy = Object.fromEntries(
      Object.entries(node).map(([key, value]) => [
        key,
        key === "datasets" || key === "data" ? value : colored(value),
      ]),
    );
    for (const channel of COLOR_CHANNELS) {
      const encoding = (copy.encoding as Record<string, Record<string, unknown>> | undefined)?.[channel];
      if (encoding?.field === "run" && encoding.scale === undefined) encoding.scale = scale;
    }
    return copy;
  };
  return colored(spec) as Record<string, unknown>;
}

const COLOR_CHANNELS = ["color", "fill", "stroke"];

const read = new WeakMap<object, ReadonlyMap<string, UserChartSpec>>();

/** Parse the trait `user_charts` by name; the same trait gives the same objects. */
export function readUserCharts(trait: unknown): ReadonlyMap<string, UserChartSpec> {
  if (!Array.isArray(trait)) return new Map();
  const known =
    read.get(trait) ??
    new Map((trait as UserChartSpec[]).map(chart => [chart.name, { ...chart, key: JSON.stringify(chart) }]));
  read.set(trait, known);
  return known;
}

/** Return the metrics that a chart draws: those it names, or else the metric of its name, or its group's, or all. */
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

/** Whether a chart consists of several views. It cannot be fitted into a box and takes a whole row. */
export function isComposite({ spec }: Pick<UserChartSpec, "spec">): boolean {
  const encoding = Object.keys((spec.encoding ?? {}) as object);
  return (
    !("mark" in spec || "layer" in spec) ||
    encoding.some(channel => ["row", "column", "facet"].includes(channel))
  );
}

/** One metric of a user's chart. */
export interface UserChartPart {
  metric: string;
  series: readonly Series[];
  axes: ChartAxes;
}

const NO_ZOOM = { x: null, y: null };

/** Return the rows of all metrics of a chart, each with its metric's name. */
export function userChartRows(
  parts: readonly UserChartPart[],
  settings: DrawSettings,
  columns: number,
  configs: ReadonlyMap<string, NestedConfig> = new Map(),
): UserChartRow[] {
  const count = parts.reduce((sum, { series }) => sum + series.length, 0);
  const share = MOST_ROWS / Math.max(1, count);
  return parts.flatMap(({ metric, series, axes }) => {
    const few = series.map(each => coarsened(each, share));
    const { traces } = plotOf({ series: few, fine: [], settings, axes, zoom: NO_ZOOM }, columns);
    return traces.flatMap(({ rows, style: { run } }) => {
      const about = { metric, group: run.group, config: configs.get(run.id) ?? {} };
      return rows.map(row => ({ ...row, ...about }));
    });
  });
}

function coarsened(series: Series, rows: number): Series {
  let few = series;
  while (few.rows * (few.kind === "points" ? 1 : 4) > rows && few.rows > 1) few = double(few);
  return few;
}
