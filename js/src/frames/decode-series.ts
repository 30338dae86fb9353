import { makeColumns } from "./columns.ts";
import {
  BUCKET_BYTES,
  BUCKET_COLUMNS,
  HEAD_BYTES,
  MASK_SHIFT,
  POINT_BYTES,
  POINT_COLUMNS,
  type SeriesHeader,
} from "./protocol.ts";
import type { Series } from "./series.ts";

const CORNERS = ["first", "min", "max", "last"] as const;
const WORDS = BUCKET_BYTES / 4;

/** Decode a series from its block in a frame's buffer; all columns become float64. */
export function decodeSeries(header: SeriesHeader, data: ArrayBuffer): Series {
  const { run, metric, width, rows, coarser } = header;
  const common = { run, metric, rows, ...(coarser && { coarser }) };
  return width === 1
    ? { ...common, kind: "points", width, columns: points(header, data) }
    : { ...common, kind: "buckets", width, columns: buckets(header, data) };
}

function points({ rows, at, plain: isPlain }: SeriesHeader, data: ArrayBuffer) {
  if (isPlain) return plain(POINT_COLUMNS, rows, at, data);
  const [, first, base] = new Float64Array(data, at, 3);
  const columns = makeColumns(POINT_COLUMNS, () => new Float64Array(rows));
  const start = at + HEAD_BYTES;
  const doubles = new Float64Array(data, start, (rows * POINT_BYTES) / 8);
  const words = new Uint32Array(data, start, (rows * POINT_BYTES) / 4);
  const floats = new Float32Array(data, start, words.length);
  for (let row = 0; row < rows; row++) {
    columns.value[row] = doubles[2 * row];
    columns.step[row] = first + words[4 * row + 2];
    columns.time[row] = base + floats[4 * row + 3];
  }
  return columns;
}

function buckets({ rows, at, width, plain: isPlain, numbers }: SeriesHeader, data: ArrayBuffer) {
  if (isPlain) return plain(BUCKET_COLUMNS, rows, at, data);
  const [offset, first, base] = new Float64Array(data, at, 3);
  const columns = makeColumns(BUCKET_COLUMNS, () => new Float64Array(rows));
  const words = new Uint32Array(data, at + HEAD_BYTES, rows * WORDS);
  const floats = new Float32Array(data, at + HEAD_BYTES, words.length);
  const special = numbers ? new Uint32Array(data, at + HEAD_BYTES + words.byteLength, 2 * rows) : null;
  for (let row = 0; row < rows; row++) {
    const word = row * WORDS;
    const bucket = first + words[word];
    const count = words[word + 1] & (2 ** MASK_SHIFT - 1);
    const deviation = floats[word + 3];
    columns.bucket[row] = bucket;
    columns.count[row] = count;
    columns.mask[row] = words[word + 1] >>> MASK_SHIFT;
    columns.mean[row] = offset + floats[word + 2];
    columns.m2[row] = count ? deviation * deviation * count : 0;
    for (let corner = 0; corner < 4; corner++) {
      const name = CORNERS[corner];
      const place = word + 4 + 3 * corner;
      const known = count > 0 || name === "first" || name === "last";
      columns[`${name}_step`][row] = known ? bucket * width + words[place] : Number.NaN;
      columns[`${name}_time`][row] = base + floats[place + 1];
      columns[name][row] = offset + floats[place + 2];
    }
    columns.not_positive[row] = special ? special[2 * row] : columns.max[row] <= 0 ? count : 0;
    columns.not_finite[row] = special ? special[2 * row + 1] : 0;
  }
  return columns;
}

function plain<Names extends readonly string[]>(names: Names, rows: number, at: number, data: ArrayBuffer) {
  const numbers = new Float64Array(data, at, rows * names.length);
  return makeColumns(names, i =>
    Float64Array.from({ length: rows }, (_, row) => numbers[row * names.length + i]),
  );
}
