import type { RunEntry, RunsTable, Scalar, Statistic } from "../frames/runs-table.ts";
import { logged } from "../metrics.ts";
import { formatClock, formatDuration, formatValue } from "../ui/format.ts";
import { durationOf, lastSeen } from "./run-state.ts";

/** A column of the runs panel. `run_sort` and `run_columns` use its id. */
export interface RunColumn {
  id: string;
  title: string;
  /** The kind of value, shown beside the title. */
  kind: "run" | "config" | "summary" | "min" | "max";
  value(entry: RunEntry, now: number): Scalar | undefined;
  format(value: Scalar): string;
  /** Return what to show of a run in place of its formatted value; empty for nothing else. */
  text?(entry: RunEntry, now: number): string;
}

const asIs = (value: Scalar) => String(value);
const MOST_CONFIG = 3;
const MOST_METRICS = 4;

const FIXED: readonly RunColumn[] = [
  { id: "name", title: "Run", kind: "run", value: ({ name }) => name, format: asIs },
  { id: "state", title: "State", kind: "run", value: ({ state }) => state, format: asIs, text: lastSeen },
  {
    id: "duration",
    title: "Time",
    kind: "run",
    value: durationOf,
    format: value => formatDuration(Number(value)),
  },
  {
    id: "started",
    title: "Started",
    kind: "run",
    value: ({ started }) => started,
    format: value => formatClock(Number(value)),
  },
  { id: "group", title: "Group", kind: "run", value: ({ group }) => group ?? undefined, format: asIs },
  { id: "tags", title: "Tags", kind: "run", value: ({ tags }) => tags.join(", ") || undefined, format: asIs },
  { id: "notes", title: "Notes", kind: "run", value: ({ notes }) => notes || undefined, format: asIs },
];

export function formatScalar(value: Scalar): string {
  return typeof value === "number" ? formatValue(value) : String(value);
}

/** Format a config value as it was written: 0.003, not 0.003000. */
export function formatConfigValue(value: Scalar): string {
  return typeof value === "number" ? String(Number(value.toPrecision(6))).replace(/^-/, "−") : String(value);
}

/** Return a column by its id; null for an unknown one. */
export function columnOf(id: string): RunColumn | null {
  return FIXED.find(column => column.id === id) ?? configColumn(id) ?? metricColumn(id);
}

/** All columns of the runs panel. Ids have prefixes, because a config key and a metric may share a name. */
export class RunColumns {
  readonly config: readonly string[];
  readonly metrics: readonly string[];
  #entries: readonly RunEntry[];
  #byId: ReadonlyMap<string, RunColumn> | null = null;

  constructor(table: RunsTable, entries: readonly RunEntry[], metrics: readonly string[]) {
    this.#entries = entries;
    this.config = [...new Set(entries.flatMap(({ config }) => [...config.keys()]))];
    const summary = entries.flatMap(({ summary }) => [...summary.keys()]);
    this.metrics = [...new Set([...logged(metrics), ...table.metrics, ...summary])];
  }

  /** Return a column; null for an unknown id, for example from a notebook of another project. */
  get(id: string): RunColumn | null {
    return columnOf(id);
  }

  /** Return every column by its id. */
  byId(): ReadonlyMap<string, RunColumn> {
    this.#byId ??= new Map([FIXED[0], ...this.all()].map(column => [column.id, column]));
    return this.#byId;
  }

  /** List all optional columns; the name column is always shown. */
  all(): RunColumn[] {
    const ids = [
      ...FIXED.slice(1).map(({ id }) => id),
      ...this.config.map(key => `config.${key}`),
      ...(["summary", "min", "max"] as const).flatMap(kind =>
        this.metrics.map(metric => `${kind}.${metric}`),
      ),
    ];
    return ids.map(id => this.get(id) as RunColumn);
  }

  /** Return the chosen columns, or else the default: first metric, varying config, other metrics and duration. */
  shown(chosen: readonly string[]): RunColumn[] {
    const ids = chosen.length ? chosen : this.#defaultIds();
    return ["name", ...ids.filter(id => id !== "name")].flatMap(id => this.get(id) ?? []);
  }

  /** Return the config keys whose values differ between runs. */
  varying(entries: readonly RunEntry[] = this.#entries): string[] {
    return this.config.filter(
      key => new Set(entries.map(({ config }) => JSON.stringify(config.get(key)))).size > 1,
    );
  }

  #defaultIds(): string[] {
    const config = this.varying().slice(0, MOST_CONFIG);
    const metrics = this.metrics.slice(0, MOST_METRICS).map(metric => `summary.${metric}`);
    const keys = config.map(key => `config.${key}`);
    return [...metrics.slice(0, 1), ...keys, ...metrics.slice(1, 2), "duration", ...metrics.slice(2)];
  }
}

/**
 * Return the config key that an id (of a column, or in `group_by`) names as `config.KEY`; null if it names
 * something else.
 */
export function configKey(id: string): string | null {
  return id.startsWith("config.") ? id.slice("config.".length) : null;
}

function configColumn(id: string): RunColumn | null {
  const key = configKey(id);
  if (key === null) return null;
  return {
    id,
    title: key,
    kind: "config",
    value: ({ config }) => config.get(key),
    format: formatConfigValue,
  };
}

const STATISTIC_OF: Record<"summary" | "min" | "max", Statistic> = {
  summary: "last",
  min: "min",
  max: "max",
};

function metricColumn(id: string): RunColumn | null {
  const kind = (["summary", "min", "max"] as const).find(kind => id.startsWith(`${kind}.`));
  if (!kind) return null;
  const metric = id.slice(kind.length + 1);
  const value = (entry: RunEntry) =>
    (kind === "summary" ? entry.summary.get(metric) : undefined) ??
    entry.statistic(STATISTIC_OF[kind], metric);
  return { id, title: kind === "summary" ? metric : `${kind} ${metric}`, kind, value, format: formatScalar };
}
