import type { Entry, Figure, Scalar, Table } from "../frames/runs-table.ts";
import { logged } from "../metrics.ts";
import { formatClock, formatDuration, formatValue } from "../ui/format.ts";

/** A column of the runs panel; its id is what `run_sort` and `run_columns` name it by. */
export interface Column {
  id: string;
  title: string;
  /** What a reader needs to know beside the title. */
  kind: "run" | "config" | "summary" | "min" | "max";
  value(entry: Entry, now: number): Scalar | undefined;
  format(value: Scalar): string;
}

const asIs = (value: Scalar) => String(value);
const MOST_CONFIG = 3;
const MOST_METRICS = 4;

const FIXED: readonly Column[] = [
  { id: "name", title: "Run", kind: "run", value: ({ name }) => name, format: asIs },
  { id: "state", title: "State", kind: "run", value: ({ state }) => state, format: asIs },
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

function durationOf({ state, started, ended }: Entry, now: number): number | undefined {
  const end = ended ?? (state === "running" ? now : null);
  return end === null ? undefined : end - started;
}

export function formatScalar(value: Scalar): string {
  return typeof value === "number" ? formatValue(value) : String(value);
}

/** Config is read as it was written: 0.003, not 0.003000. */
export function formatSetting(value: Scalar): string {
  return typeof value === "number" ? String(Number(value.toPrecision(6))).replace(/^-/, "−") : String(value);
}

/** Every column there is; names of runs, config and metrics are data, and may be the same. */
export class Columns {
  readonly config: readonly string[];
  readonly metrics: readonly string[];
  #entries: readonly Entry[];

  constructor(table: Table, entries: readonly Entry[], metrics: readonly string[]) {
    this.#entries = entries;
    this.config = [...new Set(entries.flatMap(({ config }) => [...config.keys()]))];
    const summary = entries.flatMap(({ summary }) => [...summary.keys()]);
    this.metrics = [...new Set([...logged(metrics), ...table.metrics, ...summary])];
  }

  /** Null for what is no column, which a notebook of another project may ask for. */
  get(id: string): Column | null {
    return FIXED.find(column => column.id === id) ?? configColumn(id) ?? metricColumn(id);
  }

  /** All that can be chosen, beside the name, which is always there. */
  all(): Column[] {
    const ids = [
      ...FIXED.slice(1).map(({ id }) => id),
      ...this.config.map(key => `config.${key}`),
      ...(["summary", "min", "max"] as const).flatMap(kind =>
        this.metrics.map(metric => `${kind}.${metric}`),
      ),
    ];
    return ids.map(id => this.get(id) as Column);
  }

  /** Those chosen, or else the time, the first metrics and what was varied. */
  shown(chosen: readonly string[]): Column[] {
    const ids = chosen.length ? chosen : this.#usual();
    return ["name", ...ids.filter(id => id !== "name")].flatMap(id => this.get(id) ?? []);
  }

  /** The config that is not the same in all runs. */
  varied(entries: readonly Entry[] = this.#entries): string[] {
    return this.config.filter(
      key => new Set(entries.map(({ config }) => JSON.stringify(config.get(key)))).size > 1,
    );
  }

  #usual(): string[] {
    const config = this.varied().slice(0, MOST_CONFIG);
    const metrics = this.metrics.slice(0, MOST_METRICS).map(metric => `summary.${metric}`);
    return ["duration", ...metrics.slice(0, 2), ...config.map(key => `config.${key}`), ...metrics.slice(2)];
  }
}

function configColumn(id: string): Column | null {
  if (!id.startsWith("config.")) return null;
  const key = id.slice("config.".length);
  return { id, title: key, kind: "config", value: ({ config }) => config.get(key), format: formatSetting };
}

const FIGURE: Record<"summary" | "min" | "max", Figure> = { summary: "last", min: "min", max: "max" };

function metricColumn(id: string): Column | null {
  const kind = (["summary", "min", "max"] as const).find(kind => id.startsWith(`${kind}.`));
  if (!kind) return null;
  const metric = id.slice(kind.length + 1);
  const value = (entry: Entry) =>
    (kind === "summary" ? entry.summary.get(metric) : undefined) ?? entry.figure(FIGURE[kind], metric);
  return { id, title: kind === "summary" ? metric : `${kind} ${metric}`, kind, value, format: formatScalar };
}
