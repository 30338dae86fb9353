import { drawingOrder } from "./palette.ts";
import type { Look, Plot } from "./plot.ts";
import { type Row, rowsOf } from "./rows.ts";
import { double, type Series } from "./series.ts";

const MOST_ROWS = 20_000; // a chart may ask for every metric of every run, and has to draw within a frame or so

/** A chart of the user's own, as `src/trackbook/_charted.py` sends it: a Vega-Lite specification of `points`. */
export interface UserChart {
  name: string;
  spec: Record<string, unknown>;
  /** Names or globs of the metrics whose rows it gets; none: see `membersOf`. */
  metrics: readonly string[];
}

/** What a scene has of a user's chart. */
export interface OwnScene {
  chart: UserChart;
  /** The board's metrics; a series has its number among them. */
  metrics: readonly string[];
}

const read = new WeakMap<object, ReadonlyMap<string, UserChart>>();

/** The trait `charts` by name: the same objects as long as the trait is the same. */
export function userCharts(trait: unknown): ReadonlyMap<string, UserChart> {
  if (!Array.isArray(trait)) return new Map();
  const known = read.get(trait) ?? new Map((trait as UserChart[]).map(chart => [chart.name, chart]));
  read.set(trait, known);
  return known;
}

/** The metrics whose rows a chart gets: those it asked for, else its own, else its group's, else all. */
export function membersOf({ name, metrics: globs }: UserChart, metrics: readonly string[]): string[] {
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
export function isComposite({ spec }: UserChart): boolean {
  const encoding = Object.keys((spec.encoding ?? {}) as object);
  return (
    !("mark" in spec || "layer" in spec) ||
    encoding.some(channel => ["row", "column", "facet"].includes(channel))
  );
}

/** What a user's chart draws: the rows of all its metrics, each with the metric's name. */
export function ownPlot(
  series: readonly Series[],
  { metrics }: OwnScene,
  { styles, hidden, ...detail }: Look,
  columns: number,
): Plot {
  const shown = series.filter(({ run, rows }) => rows > 0 && !hidden.has(styles.get(run)?.run.id ?? ""));
  const runs = [...new Set(shown.map(({ run }) => run))].flatMap(run => styles.get(run)?.run ?? []);
  const order = drawingOrder(runs).map(({ key }) => key);
  const share = MOST_ROWS / Math.max(1, shown.length);
  const rows = shown
    .toSorted((a, b) => a.metric - b.metric || order.indexOf(a.run) - order.indexOf(b.run))
    .flatMap((each): Row[] => {
      const style = styles.get(each.run);
      const [metric, few] = [metrics[each.metric], atMost(each, share)];
      return style ? rowsOf(few, style, { ...detail, columns }).map(row => ({ ...row, metric })) : [];
    });
  return { kind: "own", traces: [], rows };
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
