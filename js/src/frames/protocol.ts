/** The wire format. `src/trackbook/frames/protocol.py` documents it. */

export const VERSION = 4;
/** Of the frames that can be shown: notebooks and pages that were saved earlier hold older ones. */
export const READABLE = [3, VERSION];

export const HEAD_BYTES = 24;
export const POINT_BYTES = 16;
export const BUCKET_BYTES = 64;
export const MASK_SHIFT = 29;

export const COMPACT = 0;
export const NUMBERED = 1;
export const PLAIN = 2;

export const POINT_COLUMNS = ["step", "time", "value"] as const;

export const BUCKET_COLUMNS = [
  "bucket",
  "count",
  "mean",
  "m2",
  "mask",
  "not_positive",
  "not_finite",
  "first_step",
  "first_time",
  "first",
  "min_step",
  "min_time",
  "min",
  "max_step",
  "max_time",
  "max",
  "last_step",
  "last_time",
  "last",
] as const;

export const NAN = 1;
export const POSITIVE_INFINITY = 2;
export const NEGATIVE_INFINITY = 4;

export type RunState = "running" | "finished" | "failed" | "interrupted" | "lost";

export interface RunHeader {
  key: number;
  /** Permanent place of the run in its project, which determines its colour. Boards of earlier versions lack it. */
  place?: number;
  id: string;
  name: string;
  group: string | null;
  state: RunState;
  started: number;
  ended: number | null;
  done: number;
  total: number | null;
  rate: number | null;
  faded: boolean;
  error: string | null;
  /**
   * `[glob, x axis]` of metrics. An exact name wins, then the last matching glob; a metric is never its own x axis.
   */
  defined?: [glob: string, x: string][];
  goals?: [glob: string, goal: string][];
}

export type SeriesHeader = [
  run: number,
  metric: number,
  width: number,
  rows: number,
  /** Of its block: COMPACT, NUMBERED or PLAIN. */
  layout: number,
  /** How often the kernel's own buckets were doubled to fit the frame into its byte budget. */
  coarser: number,
];

/** The header of a series in a frame of version 3. */
export interface SeriesHeader3 {
  run: number;
  metric: number;
  width: number;
  rows: number;
  plain?: boolean;
  numbers?: boolean;
  coarser?: number;
}

interface Omitted {
  count: number;
  series: [run: number, metric: number][];
}

export interface FrameHeader {
  version: number;
  session: string;
  seq: number;
  base?: number;
  now: number;
  project: string;
  runs: RunHeader[];
  metrics: string[];
  series: (SeriesHeader | SeriesHeader3)[];
  omitted?: Omitted;
  notices: string[];
}

/** Of the trait `alerts`, which holds the newest, oldest first. The time is in seconds UTC. */
export type Alert = [
  run: string,
  number: number,
  time: number,
  level: string,
  title: string,
  text: string,
  times: number,
];

export interface Frame {
  header: FrameHeader;
  data: ArrayBuffer;
}

/** Decode a frame from a trait's value; null while the trait is empty. */
export function decodeFrame(trait: unknown): Frame | null {
  const { header, data } = (trait ?? {}) as { header?: FrameHeader; data?: ArrayBuffer | ArrayBufferView };
  if (typeof header?.version !== "number") return null;
  return { header, data: copyBytes(data) };
}

/**
 * Copy the bytes of a buffer. A DataView from a Jupyter message may start at any byte; typed arrays need alignment.
 */
export function copyBytes(data: ArrayBuffer | ArrayBufferView | undefined): ArrayBuffer {
  if (!data) return new ArrayBuffer(0);
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return bytes.slice().buffer as ArrayBuffer;
}
