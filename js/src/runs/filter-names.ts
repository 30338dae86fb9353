/** Names of columns as somebody types them in a filter, and completions of a filter that is being typed. */

import type { RunEntry } from "../frames/runs-table.ts";
import { formatConfigValue, type RunColumn, type RunColumns } from "./columns.ts";
import { compareValues } from "./sorting.ts";

const PREFIXES = ["", "config.", "summary."];

/** Find a column by its id, a config key, a metric (its last value) or the last part of a config key; null if none. */
export function findColumn(columns: RunColumns, name: string): RunColumn | null {
  const known = columns.byId();
  for (const prefix of PREFIXES) {
    const column = known.get(prefix + name);
    if (column) return column;
  }
  const last = name.startsWith("last.") && known.get(`summary.${name.slice("last.".length)}`);
  if (last) return last;
  const lower = name.toLowerCase();
  const like = [...known.values()].filter(
    ({ id, kind }) =>
      PREFIXES.some(prefix => id.toLowerCase() === prefix + lower) ||
      (kind === "config" && id.toLowerCase().endsWith(`.${lower}`)),
  );
  return like.length === 1 ? like[0] : null;
}

/** Return up to two names of columns that may have been meant. */
export function similarNames(columns: RunColumns, name: string): string[] {
  const lower = name.toLowerCase();
  const names = [...columns.byId().values()].map(columnName);
  const ranked = [...new Set(names)]
    .map(one => ({ one, far: distance(lower, one.toLowerCase()) }))
    .filter(
      ({ one, far }) =>
        far <= Math.max(1, name.length / 3) || (lower.length > 1 && one.toLowerCase().includes(lower)),
    );
  return ranked
    .sort((a, b) => a.far - b.far)
    .slice(0, 2)
    .map(({ one }) => `“${one}”`);
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length];
}

/** Return the name of a column in a filter: without its prefix, where that leaves one meaning. */
export function columnName({ id, kind, title }: RunColumn): string {
  return kind === "config" || kind === "summary" ? title : id;
}

const MOST_COMPLETIONS = 12;
const MOST_VALUES = 40; // of a column whose values are offered
const OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "~", "in ("];

/** Return whole texts that continue a filter: a column, an operator, a value that some run has, or `and`. */
export function completeFilter(
  text: string,
  columns: RunColumns,
  entries: readonly RunEntry[],
  now: number,
): string[] {
  const [, before, partial] = /^(.*?)([^\s(),=<>!~]*)$/s.exec(text) as RegExpExecArray;
  const offer = (words: readonly string[]) =>
    words
      .filter(word => word.toLowerCase().startsWith(partial.toLowerCase()) && word !== partial)
      .slice(0, MOST_COMPLETIONS)
      .map(word => before + word);
  const earlier = before.trimEnd();
  const names = () => [...new Set([...columns.byId().values()].map(columnName))].map(quoted);
  if (
    !earlier ||
    /(^|[\s(])(and|or|not)$/i.test(earlier) ||
    (earlier.endsWith("(") && !/\bin\s*\($/i.test(earlier))
  )
    return partial || earlier ? offer(names()) : [];
  const compared = /(?:^|[\s(])("[^"]*"|[^\s()=<>!~]+)\s*(?:[=<>!~]{1,2}|in\s*\((?:[^()]*,)?)$/i.exec(
    earlier,
  );
  if (compared) {
    const column = findColumn(columns, compared[1].replaceAll('"', ""));
    return column ? offer(valuesOf(column, entries, now)) : [];
  }
  const isComplete = /[=<>!~]\s*("[^"]*"|[^\s()=<>!~]+)$|\)$/.test(earlier);
  if (isComplete) return before === earlier ? [] : offer(["and ", "or "]);
  return findColumn(columns, earlier.split(/[\s(]/).at(-1)?.replaceAll('"', "") ?? "")
    ? offer(OPERATORS)
    : [];
}

function valuesOf(column: RunColumn, entries: readonly RunEntry[], now: number): string[] {
  const values =
    column.id === "tags"
      ? entries.flatMap(({ tags }) => tags)
      : entries.map(entry => column.value(entry, now));
  const distinct = [...new Set(values)].filter(
    value => value !== undefined && value !== null && value !== "",
  );
  if (distinct.length > MOST_VALUES) return [];
  return distinct
    .sort(compareValues)
    .map(value => quoted(formatConfigValue(value ?? null).replace("−", "-")));
}

function quoted(text: string): string {
  return /^[^\s<>=!~(),"']+$/.test(text) && !/^(and|or|not|in|min|max|last)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
