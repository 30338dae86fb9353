/** Which section of a board each chart is in, and in which order: pure. */

import type { ViewTraits } from "../frames/view-state.ts";
import { isSystem, ownEntry, SYSTEM_GROUP, splitMetric } from "../metrics.ts";

export const PINNED_GROUP = "@pinned";
/** Boards of this many charts begin with most groups folded. */
export const MANY_CHARTS = 40;
const MANY_IN_GROUP = 12; // charts of a group from which its further prefixes are levels; also those that begin unfolded

const LABELS: Record<string, string> = { "": "metrics", [SYSTEM_GROUP]: "system", [PINNED_GROUP]: "pinned" };

/** A group of charts, or a group within a group, as it stands on the board. */
export interface Section {
  /** Its prefix; that of a group within a group includes the group's. */
  key: string;
  /** The key of the outermost group around it, or its own. */
  group: string;
  label: string;
  /** 0 for a group, 1 for a group in it, and so on. */
  depth: number;
  /** The keys of the groups around it. */
  within: readonly string[];
  /** Its own charts. */
  charts: readonly string[];
  /** How many charts it has, with those of the groups in it. */
  count: number;
}

type LayoutSettings = Pick<
  ViewTraits,
  "prefixes" | "pinned" | "chart_order" | "chart_groups" | "group_order"
>;

/** Return the sections of a board, in the order in which they stand on it. */
export function sectionsOf(names: readonly string[], settings: LayoutSettings): Section[] {
  const shown = new Set(names);
  const pinned = [...new Set(settings.pinned)].filter(name => shown.has(name));
  for (const name of pinned) shown.delete(name);
  const groups = new Map<string, string[]>([["", []]]);
  for (const name of shown) {
    const key = groupOf(name, settings);
    const members = groups.get(key);
    if (members) members.push(name);
    else groups.set(key, [name]);
  }
  if (!groups.get("")?.length) groups.delete("");
  const place = new Map(settings.chart_order.map((name, i) => [name, i]));
  const rank = (name: string) => place.get(name) ?? place.size;
  const sections = orderGroups([...groups.keys()], settings.group_order).flatMap(key => {
    const charts = (groups.get(key) as string[]).sort((a, b) => rank(a) - rank(b));
    return levelsOf(key, charts, settings);
  });
  return pinned.length ? [sectionOf(PINNED_GROUP, pinned), ...sections] : sections;
}

/** Sort groups by the chosen order; unplaced groups follow in order of appearance, the system group is last. */
export function orderGroups(names: readonly string[], order: readonly string[]): string[] {
  const placed = [...new Set(order)].filter(name => names.includes(name));
  const all = [...placed, ...names.filter(name => !placed.includes(name))];
  const own = all.filter(name => name !== SYSTEM_GROUP);
  return own.length < all.length ? [...own, SYSTEM_GROUP] : own;
}

/** Return what a chart is called in a section: its name without the section's prefix. */
export function titleIn(name: string, { key }: Pick<Section, "key">): string {
  return key && name.length > key.length + 1 && name.startsWith(`${key}/`)
    ? name.slice(key.length + 1)
    : name;
}

function groupOf(name: string, { chart_groups, prefixes }: LayoutSettings): string {
  return Object.hasOwn(chart_groups, name) ? chart_groups[name] : naturalGroup(name, prefixes);
}

/** Return the group that a chart's name says. */
export function naturalGroup(name: string, prefixes: LayoutSettings["prefixes"]): string {
  return prefixes === "last" && !isSystem(name) ? prefixOf(name) : splitMetric(name).group;
}

/** Return what stands before the last slash. */
function prefixOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

function sectionOf(key: string, charts: readonly string[], count = charts.length): Section {
  return { key, group: key, label: ownEntry(LABELS, key) ?? key, depth: 0, within: [], charts, count };
}

interface Level {
  key: string;
  charts: string[];
  levels: Map<string, Level>;
}

/** Return a group as one section, or as one for each level of its names' prefixes. */
function levelsOf(key: string, charts: readonly string[], { prefixes }: LayoutSettings): Section[] {
  const nested = prefixes === "all" || (prefixes === "auto" && charts.length > MANY_IN_GROUP);
  if (!nested || !key || key === SYSTEM_GROUP) return [sectionOf(key, charts)];
  const top: Level = { key, charts: [], levels: new Map() };
  for (const name of charts) {
    let level = top;
    const parts = name.startsWith(`${key}/`)
      ? prefixOf(name)
          .slice(key.length + 1)
          .split("/")
      : [];
    for (const part of parts.filter(Boolean)) {
      const own = `${level.key}/${part}`;
      const next = level.levels.get(own) ?? { key: own, charts: [], levels: new Map() };
      level.levels.set(own, next);
      level = next;
    }
    level.charts.push(name);
  }
  return flatten(simplified(top, charts), key, []);
}

/** Join a level that has nothing but one other with that one, and dissolve levels of one chart. */
function simplified(level: Level, order: readonly string[]): Level {
  const levels = new Map<string, Level>();
  const charts = [...level.charts];
  for (const [key, each] of level.levels) {
    const inner = simplified(each, order);
    if (!inner.levels.size && inner.charts.length === 1) charts.push(...inner.charts);
    else levels.set(key, inner);
  }
  charts.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const [only] = levels.values();
  return levels.size === 1 && !charts.length ? only : { key: level.key, charts, levels };
}

function flatten({ key, charts, levels }: Level, group: string, within: readonly string[]): Section[] {
  const around = within.at(-1);
  const label = around === undefined ? key : key.slice(around.length + 1);
  const inner = [...levels.values()].flatMap(each => flatten(each, group, [...within, key]));
  const count = charts.length + [...levels.values()].reduce((sum, each) => sum + countOf(each), 0);
  return [{ key, group, label, depth: within.length, within, charts, count }, ...inner];
}

function countOf({ charts, levels }: Level): number {
  return [...levels.values()].reduce((sum, each) => sum + countOf(each), charts.length);
}

type Folding = Pick<ViewTraits, "collapsed" | "expanded">;

/**
 * Return the sections that fold by themselves: on a board of many charts all but the first, those around it, and small groups that
 * fit beside it.
 */
export function foldedOfThemselves(sections: readonly Section[]): Set<string> {
  const own = sections.filter(({ key }) => key !== SYSTEM_GROUP && key !== PINNED_GROUP);
  if (own.reduce((sum, { charts }) => sum + charts.length, 0) < MANY_CHARTS) return new Set();
  const first = own.find(({ charts }) => charts.length);
  const open = new Set([first?.key, ...(first?.within ?? [])]);
  let room = MANY_IN_GROUP - (first?.charts.length ?? 0);
  for (const { key, depth, charts, count } of own) {
    if (open.has(key) || depth || charts.length < count || count > room) continue;
    open.add(key);
    room -= count;
  }
  return new Set(own.map(({ key }) => key).filter(key => !open.has(key)));
}

export function isFolded(
  key: string,
  { collapsed, expanded }: Folding,
  byItself: ReadonlySet<string>,
): boolean {
  return collapsed.includes(key) || (byItself.has(key) && !expanded.includes(key));
}

/** Return the settings in which a section is folded the other way. */
export function toggled(key: string, folding: Folding, byItself: ReadonlySet<string>): Folding {
  const without = (keys: readonly string[]) => keys.filter(other => other !== key);
  const [collapsed, expanded] = [without(folding.collapsed), without(folding.expanded)];
  if (isFolded(key, folding, byItself))
    return { collapsed, expanded: byItself.has(key) ? [...expanded, key] : expanded };
  return { collapsed: byItself.has(key) ? collapsed : [...collapsed, key], expanded };
}
