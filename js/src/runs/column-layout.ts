/** How wide the columns of the runs list are, and in which order they stand. */

import type { RunEntry } from "../frames/runs-table.ts";
import type { RunColumn } from "./columns.ts";

const NAME_WIDTH = 200; // px
const LETTER = 7.4; // px of a digit, and about that of a letter
const AIR = 18; // px around a text
const NUMBER_WIDTH = 86; // px that the longest formatted number takes: −9.347e-5
const LETTERS_OF_MEAN = 6; // a mean may have more than the values: 0.3333 of 0 and 1
const [LEAST, MOST] = [64, 240]; // px of a column of texts
const MOST_MEASURED = 300; // rows

/** Return the columns' widths in pixels. A number is never cut; of texts the longest may be. */
export function columnWidths(
  columns: readonly RunColumn[],
  entries: readonly RunEntry[],
  now: number,
  grouped: boolean,
): number[] {
  const measured = entries.slice(0, MOST_MEASURED);
  return columns.map(column => {
    if (column.id === "name") return NAME_WIDTH;
    const title = column.title.length * LETTER + AIR + 14; // with the arrow of the sort
    let [letters, isNumeric] = [0, false];
    for (const entry of measured) {
      const value = column.value(entry, now);
      if (value === undefined || value === null) continue;
      isNumeric ||= typeof value === "number";
      letters = Math.max(letters, column.format(value).length);
    }
    const content = letters * LETTER + AIR;
    const summary = (letters + Math.max(letters, LETTERS_OF_MEAN) + "ø  ▾ ".length) * LETTER + AIR;
    const isSummed = grouped && isNumeric && column.kind !== "config" && column.kind !== "run";
    if (isNumeric)
      return Math.round(
        Math.max(
          content,
          Math.min(title, 150),
          isSummed ? summary : column.kind === "run" ? LEAST : NUMBER_WIDTH,
        ),
      );
    return Math.round(Math.min(MOST, Math.max(LEAST, content, Math.min(title, 150))));
  });
}

/** Return the columns with the pinned ones first, after the name. */
export function pinnedFirst(columns: readonly RunColumn[], pinned: readonly string[]): RunColumn[] {
  const [name, ...rest] = columns;
  const isPinned = ({ id }: RunColumn) => pinned.includes(id);
  return [name, ...rest.filter(isPinned), ...rest.filter(column => !isPinned(column))];
}

/** Return column ids with one moved before another, or to the end. */
export function moved(ids: readonly string[], id: string, before: string | null): string[] {
  const others = ids.filter(other => other !== id);
  const at = before === null ? others.length : others.indexOf(before);
  return at < 0 ? [...ids] : [...others.slice(0, at), id, ...others.slice(at)];
}
