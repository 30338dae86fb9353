import { decodeSeries } from "./decode-series.ts";
import { type Frame, READABLE, type RunHeader } from "./protocol.ts";
import { overlay, refines, type Series, sameSeries } from "./series.ts";

const NAMED = 3; // omitted metrics that a notice names

/** Everything a board shows: a keyframe with its delta applied. Immutable. */
export interface Picture {
  session: string;
  seq: number;
  now: number;
  project: string;
  runs: readonly RunHeader[];
  metrics: readonly string[];
  /** Sorted by run, then metric. An unchanged series is the same object as in the previous picture. */
  series: readonly Series[];
  notices: readonly string[];
  /** The number of omitted series that are not shown from an earlier frame either. */
  missing: number;
}

export class VersionMismatch extends Error {
  override name = "OtherVersion";
  constructor() {
    super("This board comes from another version of Trackbook: restart the kernel and run the cell again.");
  }
}

/** Build the newest picture from both traits and the picture shown so far. */
export function assemble(keyframe: Frame | null, delta: Frame | null, shown: Picture | null): Picture | null {
  if (!keyframe) return shown;
  if (!READABLE.includes(keyframe.header.version)) throw new VersionMismatch();
  const frame = delta && applies(delta, keyframe) ? delta : null;
  const { session, seq } = (frame ?? keyframe).header;
  const continued = shown?.session === session ? shown : null;
  if (continued && seq < continued.seq) return continued;
  return build(keyframe, frame, continued);
}

function applies({ header }: Frame, { header: key }: Frame): boolean {
  return header.version === key.version && header.session === key.session && header.base === key.seq;
}

function build(keyframe: Frame, delta: Frame | null, before: Picture | null): Picture {
  const { session, seq, now, project, notices } = (delta ?? keyframe).header;
  const runs = new Map(keyframe.header.runs.map(run => [run.key, run]));
  for (const run of delta?.header.runs ?? []) runs.set(run.key, run);
  const metrics = [...keyframe.header.metrics, ...(delta?.header.metrics ?? [])];
  const series = buildSeries(keyframe, delta, before);
  const { missing, notice } = omission(keyframe, metrics, series);
  return {
    session,
    seq,
    now,
    project,
    notices: [...notices, ...notice],
    missing,
    runs: [...runs.values()].sort((a, b) => a.key - b.key),
    metrics,
    series: [...series.values()].sort((a, b) => a.run - b.run || a.metric - b.metric),
  };
}

const keyOf = (run: number, metric: number) => `${run}/${metric}`;

/**
 * Combine keyframe and delta. A series shown so far stays if it has the same data in more detail, or if a smaller
 * keyframe merely omits it.
 */
function buildSeries(keyframe: Frame, delta: Frame | null, before: Picture | null): Map<string, Series> {
  const found = new Map<string, Series>();
  const key = ({ run, metric }: Series) => keyOf(run, metric);
  for (const series of seriesOf(keyframe)) found.set(key(series), series);
  for (const top of delta ? seriesOf(delta) : []) {
    const base = found.get(key(top));
    found.set(key(top), base ? overlay(base, top) : top);
  }
  const omitted = new Set((keyframe.header.omitted?.series ?? []).map(([run, metric]) => keyOf(run, metric)));
  for (const old of before?.series ?? []) {
    const now = found.get(key(old));
    if (now ? sameSeries(old, now) || refines(old, now) : omitted.has(key(old))) found.set(key(old), old);
  }
  return found;
}

/** Count the omitted series that are not shown, and describe them in a notice. */
function omission({ header }: Frame, metrics: readonly string[], shown: Map<string, Series>) {
  const { count, series } = header.omitted ?? { count: 0, series: [] };
  const missing = series.filter(([run, metric]) => !shown.has(keyOf(run, metric)));
  const missed = count - series.length + missing.length;
  if (!missed) return { missing: 0, notice: [] };
  const names = [...new Set(missing.map(([, metric]) => metrics[metric]))];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more metrics` : "";
  const notice = [
    `${missed} of ${missed + shown.size} series are left out to keep the board small: ${names.slice(0, NAMED).join(", ")}${more}.`,
  ];
  return { missing: missed, notice };
}

const decoded = new WeakMap<Frame, readonly Series[]>();

/** Decode a frame once: a keyframe stays the same for many deltas. */
function seriesOf(frame: Frame): readonly Series[] {
  const series = decoded.get(frame) ?? decodeSeries(frame.header.series, frame.data);
  decoded.set(frame, series);
  return series;
}
