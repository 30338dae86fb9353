/** The table of a project's runs, as `src/trackbook/_protocol.py` has it, also of runs that the board does not draw. */
import type { Picture } from "./picture.ts";
import { type RunHeader, type State, VERSION } from "./protocol.ts";

export type Scalar = string | number | boolean | null;

export interface TableRun {
  id: string;
  name: string;
  group: string | null;
  state: State;
  tags: string[];
  notes: string | null;
  started: number;
  ended: number | null;
  config: Record<string, Scalar>;
  summary: Record<string, Scalar>;
}

export type Figure = "last" | "min" | "max";
const FIGURES: readonly Figure[] = ["last", "min", "max"];

/** A run as the panel shows it: of the table, of the picture, or of both. */
export interface Entry extends Omit<TableRun, "config" | "summary"> {
  config: ReadonlyMap<string, Scalar>;
  summary: ReadonlyMap<string, Scalar>;
  /** The run as the board draws it. */
  drawn: RunHeader | null;
  /** A metric's value; undefined when the run never logged it. */
  figure(figure: Figure, metric: string): number | undefined;
}

export interface Table {
  metrics: readonly string[];
  runs: readonly Entry[];
  /** How many older runs did not fit into what the notebook keeps. */
  omitted: number;
}

const EMPTY: Table = { metrics: [], runs: [], omitted: 0 };
const decoded = new WeakMap<object, Table>();

/** Decoded once for all views; nothing where there is no table, or one of another version. */
export function decodeTable(trait: unknown): Table {
  const { header, data } = (trait ?? {}) as { header?: TableHeader; data?: ArrayBuffer | ArrayBufferView };
  if (header?.version !== VERSION) return EMPTY;
  const table = decoded.get(header) ?? decodeNow(header, floats(data));
  decoded.set(header, table);
  return table;
}

interface TableHeader {
  version: number;
  metrics: string[];
  runs: TableRun[];
  omitted?: number;
}

function decodeNow({ metrics, runs, omitted = 0 }: TableHeader, data: Float64Array): Table {
  const places = new Map(metrics.map((metric, place) => [metric, place]));
  const size = runs.length * metrics.length;
  return {
    metrics,
    omitted,
    runs: runs.map((run, row) => {
      const value = (figure: Figure, place: number) =>
        data[FIGURES.indexOf(figure) * size + row * metrics.length + place];
      return {
        ...run,
        config: new Map(Object.entries(run.config)),
        summary: new Map(Object.entries(run.summary)),
        drawn: null,
        figure(figure, metric) {
          const place = places.get(metric);
          if (place === undefined || value("min", place) > value("max", place)) return undefined;
          return value(figure, place);
        },
      };
    }),
  };
}

/** Always a copy: a DataView from a Jupyter message starts at any byte, a Float64Array only at every eighth. */
function floats(data: ArrayBuffer | ArrayBufferView | undefined): Float64Array {
  if (!data) return new Float64Array();
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Float64Array(bytes.slice().buffer);
}

/** All runs, oldest first: what the table says, and what the picture knows better of those it draws. */
export function entriesOf(table: Table, picture: Picture): Entry[] {
  const drawn = new Map(picture.runs.map(run => [run.id, run]));
  const running = new Set(picture.runs.filter(({ state }) => state === "running").map(({ key }) => key));
  const latest = running.size ? latestOf(picture, running) : null;
  const known = table.runs.map((entry): Entry => {
    const run = drawn.get(entry.id);
    if (!run) return entry;
    drawn.delete(entry.id);
    return { ...entry, ...headOf(run), drawn: run, figure: fresher(latest?.get(run.key), entry.figure) };
  });
  const rest = [...drawn.values()].map((run): Entry => {
    const nothing = { tags: [], notes: null, config: new Map(), summary: new Map() };
    const own = latestOf(picture, new Set([run.key])).get(run.key);
    return { ...nothing, ...headOf(run), drawn: run, figure: fresher(own, () => undefined) };
  });
  return rest.length ? [...known, ...rest].sort((a, b) => a.started - b.started) : known;
}

function headOf({ id, name, group, state, started, ended }: RunHeader) {
  return { id, name, group, state, started, ended };
}

type Latest = ReadonlyMap<string, number>;

function fresher(latest: Latest | undefined, figure: Entry["figure"]): Entry["figure"] {
  if (!latest) return figure;
  return (which, metric) => (which === "last" ? latest.get(metric) : undefined) ?? figure(which, metric);
}

function latestOf({ series, metrics }: Picture, runs: ReadonlySet<number>): Map<number, Map<string, number>> {
  const found = new Map<number, Map<string, number>>();
  for (const { run, metric, rows, ...each } of series) {
    if (!rows || !runs.has(run)) continue;
    const values = each.kind === "points" ? each.columns.value : each.columns.last;
    const own = found.get(run) ?? new Map<string, number>();
    found.set(run, own.set(metrics[metric], values[rows - 1]));
  }
  return found;
}
