/** Colours of runs by a column: one for each of few values, or along a ramp from the smallest number to the largest. */

import type { RunEntry, Scalar } from "../frames/runs-table.ts";
import { PALETTE, rampColor } from "../plot/palette.ts";
import type { Theme } from "../ui/theme.ts";
import type { RunColumn } from "./columns.ts";
import { compareValues } from "./sorting.ts";

const FEW = 5; // different numbers that have a colour each
const LOG_RATIO = 100; // between the largest and the smallest number, from which on the ramp is of magnitudes

/** What colours mean: the values of few, or both ends of a ramp. */
export interface ColorKey {
  title: string;
  /** Values with their colours; of a ramp its stops from the smallest on. */
  values: readonly { text: string; color: string }[];
  isRamp: boolean;
}

export interface ColumnColors {
  /** Colours by run id; runs without a value are grey. */
  colors: Readonly<Record<string, string>>;
  key: ColorKey;
}

/** Return the colours of runs by a column; `src/trackbook/charts/column_colors.py` is its twin. */
export function columnColors(
  column: RunColumn,
  entries: readonly RunEntry[],
  now: number,
  theme: Theme,
): ColumnColors {
  const known = entries.map(entry => [entry.id, column.value(entry, now)] as const);
  const values = known.map(([, value]) => value).filter(isColored);
  const distinct: Scalar[] = [...new Set(values)].sort(compareValues);
  const isRamp = distinct.length > FEW && distinct.every(value => typeof value === "number");
  const { line, faded } = PALETTE[theme];
  const places = new Map(distinct.map((value, place) => [value, place]));
  const colorOf = isRamp
    ? rampOf(distinct as number[], theme)
    : (value: Scalar) => line[(places.get(value) as number) % line.length];
  const colors = Object.fromEntries(
    known.map(([id, value]) => [id, isColored(value) ? colorOf(value) : faded.line]),
  );
  const shown = isRamp ? [distinct[0], distinct[distinct.length - 1]] : distinct;
  const texts = shown.map(value => ({ text: column.format(value), color: colorOf(value) }));
  const stops = PALETTE[theme].ramp.map((color, i, all) => ({
    text: i === 0 ? texts[0].text : i === all.length - 1 ? texts[1].text : "",
    color,
  }));
  return { colors, key: { title: column.title, values: isRamp ? stops : texts, isRamp } };
}

function isColored(value: Scalar | undefined): value is Exclude<Scalar, null> {
  return (
    value !== undefined &&
    value !== null &&
    value !== "" &&
    !(typeof value === "number" && !Number.isFinite(value))
  );
}

/** Return the function from a number to its colour; of numbers that span magnitudes their logarithms are spaced evenly. */
function rampOf(sorted: readonly number[], theme: Theme): (value: Scalar) => string {
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  const place = low > 0 && high / low >= LOG_RATIO ? Math.log10 : (value: number) => value;
  const span = place(high) - place(low);
  return value => rampColor((place(value as number) - place(low)) / span, theme);
}
