import { type Look, plotOf } from "./plot.ts";
import type { Row } from "./rows.ts";
import { double, type Series } from "./series.ts";

const MOST_ROWS = 20_000; // a chart may ask for every metric of every run, and has to draw within a frame or so

/** A chart of the user's own, as `src/trackbook/_charted.py` sends it: a Vega-Lite specification of `points`. */
export interface UserChart {
  name: string;
  spec: Record<string, unknown>;
  /** Names or globs of the metrics whose rows it gets; none: see `membersOf`. */
  metrics: readonly string[];
  /** Two charts of one key are the same. */
  key: string;
}

/** A row of `points` as a user's chart has it, which may draw several metrics. */
export type OwnRow = Row & { metric: string };

const read = new WeakMap<object, ReadonlyMap<string, UserChart>>();

/** The trait `charts` by name: the same objects as long as the trait is the same. */
export function userCharts(trait: unknown): ReadonlyMap<string, UserChart> {
  if (!Array.isArray(trait)) return new Map();
  const known =
    read.get(trait) ??
    new Map((trait as UserChart[]).map(chart => [chart.name, { ...chart, key: JSON.stringify(chart) }]));
  read.set(trait, known);
  return known;
}

/** The metrics whose rows a chart gets: those it asked for, else its own, else its group's, else all. */
export function membersOf(
  { name, metrics: globs }: Pick<UserChart, "name" | "metrics">,
  metrics: readonly string[],
): string[] {
  if (globs.length) return metrics.filter(metric => globs.some(glob => globMatches(glob, metric)));
  if (metrics.includes(name)) return [name];
  const group = groupOf(name);
  const own = metrics.filter(metric => groupOf(metric) === group);
  return own.length ? own : [...metrics];
}

/** `*` stands for any text, every other character for itself. */
export function globMatches(glob: string, name: string): boolean {
  const literal = glob.split("*").map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`, "su").test(name);
}

/** Charts of several views, which cannot be fitted into a box: they take a row of the board for themselves. */
export function isComposite({ spec }: Pick<UserChart, "spec">): boolean {
  const encoding = Object.keys((spec.encoding ?? {}) as object);
  return (
    !("mark" in spec || "layer" in spec) ||
    encoding.some(channel => ["row", "column", "facet"].includes(channel))
  );
}

/** What a user's chart draws of series: the rows of all, each with its metric's name, which is had by number. */
export function ownRows(
  series: readonly Series[],
  metrics: readonly string[],
  look: Look,
  columns: number,
): OwnRow[] {
  const share = MOST_ROWS / Math.max(1, series.length);
  const byMetric = new Map<number, Series[]>();
  for (const each of series) {
    const few = atMost(each, share);
    const others = byMetric.get(each.metric);
    if (others) others.push(few);
    else byMetric.set(each.metric, [few]);
  }
  return [...byMetric].flatMap(([number, own]) => {
    const { traces } = plotOf(own, look, columns);
    return traces.flatMap(({ rows }) => rows.map(row => ({ ...row, metric: metrics[number] })));
  });
}

function atMost(series: Series, rows: number): Series {
  let few = series;
  while (few.rows * (few.kind === "points" ? 1 : 4) > rows && few.rows > 1) few = double(few);
  return few;
}

function groupOf(name: string): string {
  const slash = name.indexOf("/");
  return slash < 0 ? "" : name.slice(0, slash);
}
