/**
 * The table of all runs of a project, including those that the board does not draw.
 * `src/trackbook/frames/protocol.py` documents it.
 */
import type { Picture } from "./picture.ts";
import { copyBytes, READABLE, type RunHeader, type RunState } from "./protocol.ts";

export type Scalar = string | number | boolean | null;

export interface TableRun {
  id: string;
  name: string;
  group: string | null;
  state: RunState;
  tags: string[];
  notes: string | null;
  started: number;
  ended: number | null;
  /** The last sign of life of a running run whose process may be dead; absent in earlier versions. */
  seen?: number | null;
  config: Record<string, Scalar>;
  summary: Record<string, Scalar>;
}

export type Statistic = "last" | "min" | "max";
const STATISTICS: readonly Statistic[] = ["last", "min", "max"];

/** A run in the runs panel, combined from the table and the picture. */
export interface RunEntry extends Omit<TableRun, "config" | "summary"> {
  config: ReadonlyMap<string, Scalar>;
  summary: ReadonlyMap<string, Scalar>;
  /** The run in the picture; null if the board does not draw it. */
  drawn: RunHeader | null;
  /** Return a statistic of a metric; undefined if the run never logged it. */
  statistic(figure: Statistic, metric: string): number | undefined;
}

export interface RunsTable {
  metrics: readonly string[];
  runs: readonly RunEntry[];
  /** The number of older runs that do not fit into the table. */
  omitted: number;
  /** The number of runs of the project; 0 in a board of an earlier version. */
  total: number;
}

const EMPTY: RunsTable = { metrics: [], runs: [], omitted: 0, total: 0 };
const decoded = new WeakMap<object, RunsTable>();

/** Decode the trait `table`, once for all views. Empty if there is none, or if its version differs. */
export function decodeRunsTable(trait: unknown): RunsTable {
  const { header, data } = (trait ?? {}) as {
    header?: RunsTableHeader;
    data?: ArrayBuffer | ArrayBufferView;
  };
  if (!header || !READABLE.includes(header.version)) return EMPTY;
  const table = decoded.get(header) ?? decodeHeader(header, new Float64Array(copyBytes(data)));
  decoded.set(header, table);
  return table;
}

interface RunsTableHeader {
  version: number;
  metrics: string[];
  runs: TableRun[];
  omitted?: number;
  total?: number;
}

function decodeHeader(
  { metrics, runs, omitted = 0, total = 0 }: RunsTableHeader,
  data: Float64Array,
): RunsTable {
  const places = new Map(metrics.map((metric, place) => [metric, place]));
  const size = runs.length * metrics.length;
  return {
    metrics,
    omitted,
    total,
    runs: runs.map((run, row) => {
      const value = (statistic: Statistic, place: number) =>
        data[STATISTICS.indexOf(statistic) * size + row * metrics.length + place];
      return {
        ...run,
        config: new Map(Object.entries(run.config)),
        summary: new Map(Object.entries(run.summary)),
        drawn: null,
        statistic(statistic, metric) {
          const place = places.get(metric);
          if (place === undefined || value("min", place) > value("max", place)) return undefined;
          return value(statistic, place);
        },
      };
    }),
  };
}

/** List all runs, oldest first. Runs in the picture have fresher values there than in the table. */
export function runEntries(table: RunsTable, picture: Picture): RunEntry[] {
  const drawn = new Map(picture.runs.map(run => [run.id, run]));
  const running = new Set(picture.runs.filter(({ state }) => state === "running").map(({ key }) => key));
  const latest = running.size ? latestByRun(picture, running) : null;
  const known = table.runs.map((entry): RunEntry => {
    const run = drawn.get(entry.id);
    if (!run) return entry;
    drawn.delete(entry.id);
    return {
      ...entry,
      ...headOf(run),
      drawn: run,
      statistic: withLatest(latest?.get(run.key), entry.statistic),
    };
  });
  const rest = [...drawn.values()].map((run): RunEntry => {
    const nothing = { tags: [], notes: null, config: new Map(), summary: new Map() };
    const own = latestByRun(picture, new Set([run.key])).get(run.key);
    return { ...nothing, ...headOf(run), drawn: run, statistic: withLatest(own, () => undefined) };
  });
  return rest.length ? [...known, ...rest].sort((a, b) => a.started - b.started) : known;
}

function headOf({ id, name, group, state, started, ended }: RunHeader) {
  return { id, name, group, state, started, ended };
}

type Latest = ReadonlyMap<string, number>;

function withLatest(latest: Latest | undefined, figure: RunEntry["statistic"]): RunEntry["statistic"] {
  if (!latest) return figure;
  return (which, metric) => (which === "last" ? latest.get(metric) : undefined) ?? figure(which, metric);
}

function latestByRun(
  { series, metrics }: Picture,
  runs: ReadonlySet<number>,
): Map<number, Map<string, number>> {
  const found = new Map<number, Map<string, number>>();
  for (const { run, metric, rows, ...each } of series) {
    if (!rows || !runs.has(run)) continue;
    const values = each.kind === "points" ? each.columns.value : each.columns.last;
    const own = found.get(run) ?? new Map<string, number>();
    found.set(run, own.set(metrics[metric], values[rows - 1]));
  }
  return found;
}
