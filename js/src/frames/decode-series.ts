import { makeColumns } from "./columns.ts";
import {
  BUCKET_BYTES,
  BUCKET_COLUMNS,
  COMPACT,
  HEAD_BYTES,
  MASK_SHIFT,
  NUMBERED,
  PLAIN,
  POINT_BYTES,
  POINT_COLUMNS,
  type SeriesHeader,
  type SeriesHeader3,
} from "./protocol.ts";
import type { Series } from "./series.ts";

const CORNERS = ["first", "min", "max", "last"] as const;
const WORDS = BUCKET_BYTES / 4;

/** Decode the series of a frame from the blocks in its buffer; all columns become float64. */
export function decodeSeries(
  headers: readonly (SeriesHeader | SeriesHeader3)[],
  data: ArrayBuffer,
): readonly Series[] {
  let at = 0;
  return headers.map(each => {
    const header = Array.isArray(each) ? each : ofVersion3(each);
    const [run, metric, width, rows, , coarser] = header;
    const common = { run, metric, rows, ...(coarser && { coarser }) };
    const start = at;
    at += blockBytes(header);
    return width === 1
      ? { ...common, kind: "points", width, columns: points(header, start, data) }
      : { ...common, kind: "buckets", width, columns: buckets(header, start, data) };
  });
}

function ofVersion3({ run, metric, width, rows, plain, numbers, coarser = 0 }: SeriesHeader3): SeriesHeader {
  return [run, metric, width, rows, plain ? PLAIN : numbers ? NUMBERED : COMPACT, coarser];
}

function blockBytes([, , width, rows, layout]: SeriesHeader): number {
  const columns = width === 1 ? POINT_COLUMNS : BUCKET_COLUMNS;
  if (layout === PLAIN) return 8 * columns.length * rows;
  const row = (width === 1 ? POINT_BYTES : BUCKET_BYTES) + (layout === NUMBERED ? 8 : 0);
  return HEAD_BYTES + row * rows;
}

function points([, , , rows, layout]: SeriesHeader, at: number, data: ArrayBuffer) {
  if (layout === PLAIN) return plain(POINT_COLUMNS, rows, at, data);
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

function buckets([, , width, rows, layout]: SeriesHeader, at: number, data: ArrayBuffer) {
  if (layout === PLAIN) return plain(BUCKET_COLUMNS, rows, at, data);
  const [offset, first, base] = new Float64Array(data, at, 3);
  const columns = makeColumns(BUCKET_COLUMNS, () => new Float64Array(rows));
  const words = new Uint32Array(data, at + HEAD_BYTES, rows * WORDS);
  const floats = new Float32Array(data, at + HEAD_BYTES, words.length);
  const special =
    layout === NUMBERED ? new Uint32Array(data, at + HEAD_BYTES + words.byteLength, 2 * rows) : null;
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
