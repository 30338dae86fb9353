/** How wide and how high charts are, in columns and rows of the board: pure. */

const LEAST_WIDTH = 264; // px of a chart
export const GAP = 20; // px between columns; as in board.css
const ROW_GAP = 16; // px between the rows of a group; as in board.css
const HIGHEST = 320; // px of the plots of few charts, so that a frame on another page holds a row of them
const HEAD = 20; // px of a chart above its plot; as in charts.css

export interface ChartSize {
  columns: number;
  rows: number;
}

export const ONE_CELL: ChartSize = { columns: 1, rows: 1 };
export const LARGEST: ChartSize = { columns: 6, rows: 4 };

/** Parse a size like "2x1". */
export function parseSize(text: string | undefined): ChartSize {
  const [columns, rows] = (text ?? "").split("x").map(Number);
  return columns >= 1 && rows >= 1 ? { columns, rows } : ONE_CELL;
}

export function formatSize({ columns, rows }: ChartSize): string {
  return `${columns}x${rows}`;
}

/** Return how many charts fit side by side, unless a number was chosen. */
export function columnsIn(width: number, asked: number): number {
  return asked || Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
}

/** The grid of a board, in whole pixels: lines would be blurred at others. */
export interface Grid {
  columns: number;
  /** Width of a column. */
  width: number;
  /** Height of the plot of a chart of one row. */
  height: number;
}

/** `charts` is the number of charts where these fill the width, as far as it is not chosen. */
export function gridOf(width: number, askedColumns: number, askedHeight: number, charts?: number): Grid {
  const fit = columnsIn(width, askedColumns);
  const columns = charts && !askedColumns ? Math.min(fit, charts) : fit;
  const own = Math.max(0, Math.floor((width - GAP * (columns - 1)) / columns));
  const height = Math.min(Math.round((own * 9) / 16), charts ? HIGHEST : Number.POSITIVE_INFINITY);
  return { columns, width: own, height: askedHeight || height };
}

/** Return the height of the plot of a chart that is so many rows high. */
export function heightOf({ height }: Grid, rows: number): number {
  return rows * height + (rows - 1) * (HEAD + ROW_GAP);
}

/** Return the size in columns and rows that is nearest to a size in pixels. */
export function sizeNear(grid: Grid, width: number, height: number): ChartSize {
  const whole = (share: number, most: number) => Math.min(most, Math.max(1, Math.round(share)));
  return {
    columns: whole((width + GAP) / (grid.width + GAP), Math.min(LARGEST.columns, grid.columns)),
    rows: whole((height + ROW_GAP) / (grid.height + HEAD + ROW_GAP), LARGEST.rows),
  };
}

/**
 * Return the columns that each group spans: one for each of its columns of charts, so that small groups share a row. A group
 * of one chart also takes a single column left over before the next row. `starts` says which groups begin a row.
 */
export function spansOf(
  counts: readonly number[],
  columns: number,
  starts: readonly boolean[] = counts.map(() => false),
): number[] {
  const spans = counts.map(count => Math.min(count, columns));
  let free = columns;
  for (const [i, span] of spans.entries()) {
    if (span > free || (starts[i] && free < columns)) {
      if (free === 1 && counts[i - 1] === 1) spans[i - 1]++;
      free = columns;
    }
    free = free - span || columns;
  }
  return spans;
}
