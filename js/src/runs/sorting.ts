import type { RunEntry, Scalar } from "../frames/runs-table.ts";
import { configKey, type RunColumn, type RunColumns } from "./columns.ts";

/** Parse `run_sort`; the default is newest first. */
export function parseSort(sort: string): { id: string; descending: boolean } {
  if (!sort || sort === "-") return { id: "started", descending: true };
  return sort.startsWith("-") ? { id: sort.slice(1), descending: true } : { id: sort, descending: false };
}

export function sortRuns(
  entries: readonly RunEntry[],
  sort: string,
  columns: RunColumns,
  now: number,
): RunEntry[] {
  const { id, descending } = parseSort(sort);
  const column = columns.get(id) as RunColumn | null;
  if (!column) return [...entries];
  const keyed = entries.map(entry => ({ entry, key: column.value(entry, now) }));
  const sign = descending ? -1 : 1;
  return keyed
    .sort((a, b) => missingRank(a.key) - missingRank(b.key) || sign * compareValues(a.key, b.key))
    .map(({ entry }) => entry);
}

/** Rank missing values last in both sort directions. */
function missingRank(value: Scalar | undefined): number {
  return value === undefined || value === null ? 2 : Number.isNaN(value) ? 1 : 0;
}

const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Compare naturally: numbers before texts, and "run 2" before "run 10". */
export function compareValues(a: Scalar | undefined, b: Scalar | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
  return natural.compare(String(a), String(b));
}

export interface RunGroup {
  key: string;
  label: string;
  members: readonly RunEntry[];
}

/** Whether runs are grouped: `group_by` is `group` or a config key. */
export function isGrouping(by: string): boolean {
  return by === "group" || Boolean(configKey(by));
}

/** Return a run's group under `group_by`. The label of a number includes its config key. */
export function groupOf(
  entry: Pick<RunEntry, "group" | "config">,
  by: string,
): { key: string; label: string } {
  const name = configKey(by) ?? "group";
  const value = by === "group" ? entry.group : entry.config.get(name);
  if (value === null || value === undefined || value === "") return { key: "", label: `no ${name}` };
  const says = by === "group" || typeof value === "string";
  return { key: JSON.stringify(value), label: says ? String(value) : `${name.split(".").at(-1)} ${value}` };
}

/** Group runs, sorted by group value; runs keep their order within a group. */
export function groupRuns(entries: readonly RunEntry[], by: string): RunGroup[] {
  const groups = new Map<string, { label: string; value: Scalar; members: RunEntry[] }>();
  for (const entry of entries) {
    const { key, label } = groupOf(entry, by);
    const group = groups.get(key);
    if (group) group.members.push(entry);
    else groups.set(key, { label, value: key ? JSON.parse(key) : null, members: [entry] });
  }
  return [...groups]
    .map(([key, group]) => ({ key, ...group }))
    .sort((a, b) => Number(!a.key) - Number(!b.key) || compareValues(a.value, b.value));
}
