import {
  type FrameHeader,
  PLAIN,
  type RunHeader,
  type SeriesHeader,
  VERSION,
} from "../src/frames/protocol.ts";
import type { TableRun } from "../src/frames/runs-table.ts";
import type { Series } from "../src/frames/series.ts";
import { styleRuns } from "../src/plot/palette.ts";

export interface SeriesSpec {
  run: number;
  metric: number;
  width?: number;
  /** One array per row, in the column order of the wire. */
  rows: number[][];
}

/** A frame as the kernel sends it, with plain blocks. */
export function frame(
  series: SeriesSpec[],
  header: Partial<FrameHeader> = {},
): { header: FrameHeader; data: DataView } {
  const values: number[] = [];
  const headers = series.map(({ run, metric, width = 1, rows }): SeriesHeader => {
    values.push(...rows.flat());
    return [run, metric, width, rows.length, PLAIN, 0];
  });
  const defaults = { version: VERSION, session: "s", seq: 1, now: 1000, project: "p", notices: [] };
  return {
    header: { ...defaults, runs: [run(0)], metrics: ["loss"], series: headers, ...header },
    data: new DataView(Float64Array.from(values).buffer),
  };
}

export function run(key: number, more: Partial<RunHeader> = {}): RunHeader {
  return {
    key,
    id: `id${key}`,
    name: `run-${key}`,
    group: null,
    state: "running",
    started: 0,
    ended: null,
    done: 0,
    total: null,
    rate: null,
    faded: false,
    error: null,
    ...more,
  };
}

const points = (key: number, metric: number, values: number[]): Series => {
  const steps = Float64Array.from(values, (_, i) => i);
  const columns = { step: steps, time: steps, value: Float64Array.from(values) };
  return { kind: "points", run: key, metric, width: 1, rows: values.length, columns } as Series;
};
/** Return the parts of a chart of two metrics, of so many runs. */
export function parts(runs: number, hidden: string[] = []) {
  const styles = styleRuns(
    Array.from({ length: runs }, (_, i) => run(i)),
    "light",
  );
  const smoothing = { amount: 0, kind: "mean" as const };
  const settings = { styles, hidden: new Set(hidden), smoothing, clipOutliers: "auto" as const, options: {} };
  const axes = { x: "step", log: { x: false, y: false }, xSeries: [] };
  return ["train/loss", "val/loss"].map((metric, m) => {
    const series = Array.from({ length: runs }, (_, i) => points(i, m, [m, 10 * i, m]));
    return { metric, content: { series, fine: [], settings, axes, zoom: { x: null, y: null } } };
  });
}

/** A model whose kernel side is the test. */
export class FakeModel {
  saved = 0;
  listeners = new Map<string, Set<() => void>>();

  constructor(readonly traits: Record<string, unknown> = {}) {}

  get(name: string) {
    return this.traits[name];
  }

  set(name: string, value: unknown) {
    this.traits[name] = value;
    for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
  }

  save_changes() {
    this.saved++;
  }

  on(event: string, listener: () => void) {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(listener));
  }

  off(event: string, listener: () => void) {
    this.listeners.get(event)?.delete(listener);
  }

  get listening(): number {
    return [...this.listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

/**
 * A runs table as the kernel sends it. `figure` returns last, min and max; undefined if the run never logged the
 * metric.
 */
export function table(
  runs: readonly Partial<TableRun>[],
  metrics: readonly string[] = [],
  figure: (run: number, metric: number) => readonly [number, number, number] | undefined = () => undefined,
) {
  const missing = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const figures = runs.map((_, i) => metrics.map((_, j) => figure(i, j) ?? missing));
  const data = Float64Array.from([0, 1, 2].flatMap(which => figures.flat().map(values => values[which])));
  const header = {
    version: VERSION,
    session: "s",
    seq: 1,
    metrics: [...metrics],
    runs: runs.map((run, i) => ({ ...tableRun(i), ...run })),
    omitted: 0,
  };
  return { header, data: new DataView(data.buffer) };
}

function tableRun(i: number): TableRun {
  return {
    id: `id${i}`,
    name: `run-${i}`,
    group: null,
    state: "finished",
    tags: [],
    notes: null,
    started: i,
    ended: i + 60,
    config: {},
    summary: {},
  };
}
