import type { RunEntry, Scalar } from "../frames/runs-table.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import type { RunColumn } from "../runs/columns.ts";
import { compareValues } from "../runs/sorting.ts";
import { shortName } from "../ui/cut-name.ts";

export const MOST_LINES = 300; // of parallel coordinates
const LABEL_ROOM = 0.07; // of an axis' length, for a label
const CATEGORY_LABELS = 8; // labels of a categorical axis
const LONGEST_LABEL = 13; // letters of a label, which stands between two axes
export const LOG_RATIO = 20; // ratio of largest to smallest value from which an axis is logarithmic
export const UNDRAWN_COLOR = "#8b93a1"; // for runs without a colour, in both themes

/**
 * A row of the dataset `points` in the charts `scatter` and `parallel`; `src/trackbook/charts/metric_spec.py` documents
 * the fields.
 */
export interface CompareRow {
  run: string;
  color: string;
  drawn: boolean;
  x?: Scalar;
  y?: Scalar;
  axis?: string;
  index?: number;
  at?: number;
  text?: string;
  mark: "line" | "dot" | "tick";
}

interface RowContext {
  now: number;
  styleOf(id: string): RunStyle | null;
}

/** Return a row per run that has both values; runs drawn on the board come last, on top. */
export function scatterRows(
  entries: readonly RunEntry[],
  x: RunColumn,
  y: RunColumn,
  { now, styleOf }: RowContext,
): CompareRow[] {
  const rows = entries.flatMap((entry): CompareRow[] => {
    const [across, up] = [x.value(entry, now), y.value(entry, now)];
    if (!plottable(across) || !plottable(up)) return [];
    return [{ ...lookOf(entry, styleOf), x: across, y: up, mark: "dot" }];
  });
  return rows.sort((a, b) => Number(a.drawn) - Number(b.drawn));
}

function lookOf(entry: RunEntry, styleOf: RowContext["styleOf"]) {
  const style = styleOf(entry.id);
  return { run: style?.label ?? entry.name, color: style?.color ?? UNDRAWN_COLOR, drawn: style !== null };
}

function plottable(value: Scalar | undefined): value is Exclude<Scalar, null> {
  return value !== undefined && value !== null && (typeof value !== "number" || Number.isFinite(value));
}

/** Whether a column has only numbers. */
export function isNumeric(column: RunColumn, entries: readonly RunEntry[], now: number): boolean {
  const values = entries.map(entry => column.value(entry, now)).filter(plottable);
  return values.length > 0 && values.every(value => typeof value === "number");
}

interface ParallelAxis {
  column: RunColumn;
  place(value: Scalar): number;
  ticks: readonly { at: number; text: string }[];
}

/** Map values to 0..1: numbers linearly, or logarithmically if they span magnitudes; other values by their order. */
export function parallelAxis(column: RunColumn, values: readonly Scalar[]): ParallelAxis | null {
  const distinct = [...new Set(values)].sort(compareValues);
  if (distinct.length < 2) return null;
  if (!distinct.every(value => typeof value === "number")) {
    const places = new Map(distinct.map((value, i) => [value, i / (distinct.length - 1)]));
    const every = Math.ceil(distinct.length / CATEGORY_LABELS);
    const named = distinct.filter((_, i) => i % every === 0);
    const ticks = named.map(value => ({
      at: places.get(value) as number,
      text: shortName(String(value), LONGEST_LABEL),
    }));
    return { column, place: value => places.get(value) as number, ticks };
  }
  const [low, high] = [distinct[0], distinct[distinct.length - 1]] as number[];
  const scale = low > 0 && high / low >= LOG_RATIO ? Math.log : (value: number) => value;
  const place = (value: Scalar) => (scale(Number(value)) - scale(low)) / (scale(high) - scale(low));
  const few =
    distinct.length <= CATEGORY_LABELS / 2 ? spacedValues(distinct as number[], place) : [low, high];
  return { column, place, ticks: few.map(value => ({ at: place(value), text: column.format(value) })) };
}

/** Return the values whose labels fit: both ends, and those far enough from the ends and from each other. */
function spacedValues(values: readonly number[], place: (value: number) => number): number[] {
  const kept = [values[0]];
  for (const value of values.slice(1, -1))
    if (place(value) - place(kept[kept.length - 1]) >= LABEL_ROOM && place(value) <= 1 - LABEL_ROOM)
      kept.push(value);
  return [...kept, values[values.length - 1]];
}

/** Return the lines of runs that have all values, and the ticks of the axes. */
export function parallelRows(
  entries: readonly RunEntry[],
  columns: readonly RunColumn[],
  { now, styleOf }: RowContext,
) {
  const whole = entries
    .filter(entry => columns.every(column => plottable(column.value(entry, now))))
    .slice(-MOST_LINES);
  const axes = columns.flatMap(column => {
    const axis = parallelAxis(
      column,
      whole.map(entry => column.value(entry, now) as Scalar),
    );
    return axis ? [axis] : [];
  });
  const ticks = axes.flatMap(({ column, ticks }, index) =>
    ticks.map(
      ({ at, text }): CompareRow => ({
        run: "",
        color: "",
        drawn: false,
        axis: column.id,
        index,
        at,
        text,
        mark: "tick",
      }),
    ),
  );
  const lines = whole
    .map(entry => ({ entry, look: lookOf(entry, styleOf) }))
    .sort((a, b) => Number(a.look.drawn) - Number(b.look.drawn))
    .flatMap(({ entry, look }) =>
      axes.map(
        ({ column, place }, index): CompareRow => ({
          ...look,
          run: entry.id,
          axis: column.id,
          index,
          at: place(column.value(entry, now) as Scalar),
          mark: "line",
        }),
      ),
    );
  return { axes: axes.map(({ column }) => column), rows: [...ticks, ...lines], runs: whole.length };
}
