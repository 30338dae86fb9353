/** Several metrics in one chart: each metric of a run is drawn like a run of its own. */

import { sameItems } from "../frames/columns.ts";
import type { Series } from "../frames/series.ts";
import { globMatches, isSystem, splitMetric } from "../metrics.ts";
import type { Theme } from "../ui/theme.ts";
import { PALETTE } from "./palette.ts";
import type { ChartContent, DrawSettings } from "./plot.ts";
import type { RunStyle } from "./plot-rows.ts";

const SPLITS = new Set(["train", "training", "val", "valid", "validation", "dev", "eval", "test"]);
const DASHES = [[], [5, 3], [2, 3], [8, 3, 2, 3]] as const;

/**
 * Put the metrics of combined charts in the place of the first of them. Returns the names of all charts, and the metrics of
 * each combined one. `splits` combines those that differ only in `train`, `val` and the like.
 */
export function combineMetrics(
  metrics: readonly string[],
  combined: Readonly<Record<string, readonly string[]>>,
  splits: boolean,
): { names: string[]; members: ReadonlyMap<string, readonly string[]> } {
  const members = new Map<string, readonly string[]>();
  const chartOf = new Map<string, string>();
  for (const [name, globs] of Object.entries(combined)) {
    const own = [...new Set(globs.flatMap(glob => metrics.filter(metric => globMatches(glob, metric))))];
    if (!own.length) continue;
    members.set(name, own);
    for (const metric of own) chartOf.set(metric, name);
  }
  if (splits) {
    const found = new Map<string, string[]>();
    for (const metric of metrics) {
      const name = chartOf.has(metric) ? undefined : splitOf(metric);
      if (name) found.set(name, [...(found.get(name) ?? []), metric]);
    }
    for (const [name, own] of found) {
      if (own.length < 2 || members.has(name) || metrics.includes(name)) continue;
      members.set(name, own);
      for (const metric of own) chartOf.set(metric, name);
    }
  }
  return { names: [...new Set(metrics.map(metric => chartOf.get(metric) ?? metric))], members };
}

/** Return the metrics that a metric could be combined with: those of other splits. */
export function otherSplits(metric: string, metrics: readonly string[]): string[] {
  const rest = splitOf(metric);
  return rest ? metrics.filter(other => other !== metric && splitOf(other) === rest) : [];
}

/** Return the name of a split's metric without the split; undefined of others. */
function splitOf(metric: string): string | undefined {
  if (isSystem(metric) || !metric.includes("/")) return undefined;
  const { group, short } = splitMetric(metric);
  return SPLITS.has(group.toLowerCase()) ? short : undefined;
}

/** Return a name for a chart of these metrics: what their names have in common at the end, or the names themselves. */
export function combinedName(metrics: readonly string[]): string {
  const parts = metrics.map(metric => metric.split("/").reverse());
  let same = 0;
  while (parts.every(part => same < part.length - 1 && part[same] === parts[0][same])) same++;
  const name = parts[0].slice(0, same).reverse().join("/");
  return name || metrics.map(metric => metric.split("/").at(-1)).join(" + ");
}

/** Return the shortest names that tell metrics apart: `train` and `val` of `train/loss` and `val/loss`. */
export function partNames(metrics: readonly string[]): string[] {
  const end = `/${combinedName(metrics)}`;
  const short = metrics.every(metric => metric.endsWith(end));
  return short ? metrics.map(metric => metric.slice(0, -end.length)) : [...metrics];
}

/** One metric of a chart. */
export interface ChartPart {
  metric: string;
  content: ChartContent;
}

/** What tells a metric of a combined chart from its others. */
export interface PartKey {
  name: string;
  dash: readonly number[];
  /** Its own color where one run is drawn; null where the color is the run's. */
  color: string | null;
}

/** Joins the metrics of one chart. What it makes stays the same object while its inputs do. */
export class Combiner {
  #series = new WeakMap<Series, Map<string, Series>>();
  #inputs: readonly unknown[] = [];
  #settings: DrawSettings | null = null;
  #keys: readonly PartKey[] = [];

  get keys(): readonly PartKey[] {
    return this.#keys;
  }

  /** The parts share settings, zoom and x axis. */
  combine(parts: readonly ChartPart[], theme: Theme): ChartContent {
    const [{ content }] = parts;
    const count = parts.length;
    const joined = (of: (content: ChartContent) => readonly Series[]) =>
      parts.flatMap(({ content: own }, i) => of(own).map(series => this.#as(series, i, count)));
    const settings = this.#settingsOf(parts, content.settings, theme);
    const axes = { ...content.axes, xSeries: joined(({ axes: { xSeries } }) => xSeries) };
    return {
      ...content,
      series: joined(({ series }) => series),
      fine: joined(({ fine }) => fine),
      settings,
      axes,
    };
  }

  /** Return the series as that of another run. */
  #as(series: Series, part: number, count: number): Series {
    const known = this.#series.get(series) ?? new Map<string, Series>();
    this.#series.set(series, known);
    const key = `${part}/${count}`;
    const made = known.get(key) ?? { ...series, run: series.run * count + part };
    known.set(key, made);
    return made;
  }

  #settingsOf(parts: readonly ChartPart[], settings: DrawSettings, theme: Theme): DrawSettings {
    const metrics = parts.map(({ metric }) => metric);
    const inputs = [settings, theme, ...metrics];
    if (this.#settings && sameItems(inputs, this.#inputs)) return this.#settings;
    const names = partNames(metrics);
    const visible = [...settings.styles.values()].filter(({ run }) => !settings.hidden.has(run.id));
    const alone = visible.length === 1;
    const { line } = PALETTE[theme];
    const color = (style: RunStyle, i: number) =>
      alone && i > 0 ? line[(style.run.key + i) % line.length] : style.color;
    const styles = new Map<number, RunStyle>();
    for (const [run, style] of settings.styles) {
      for (const [i, name] of names.entries()) {
        const key = run * names.length + i;
        const ink = alone && i > 0 ? PALETTE[theme].ink[(run + i) % line.length] : style.ink;
        const label = alone ? name : `${style.label} · ${name}`;
        const dash = alone ? [] : DASHES[i % DASHES.length];
        styles.set(key, { run: { ...style.run, key }, label, color: color(style, i), ink, dash });
      }
    }
    this.#keys = names.map((name, i) => ({
      name,
      dash: alone ? [] : DASHES[i % DASHES.length],
      color: alone ? color(visible[0], i) : null,
    }));
    [this.#inputs, this.#settings] = [inputs, { ...settings, styles }];
    return this.#settings;
  }
}
