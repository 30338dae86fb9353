import { bisector } from "d3-array";
import type { Trace } from "./plot.ts";
import type { PlotRow } from "./plot-rows.ts";

/** The scales of a chart in pixels, and what its lines are drawn of. */
export interface Pixels {
  x(value: number): number;
  y(value: number): number;
  invertX(pixel: number): number;
  drawn(row: PlotRow): number;
}

const byX = bisector(({ x }: PlotRow) => x);

/** Return the line that is drawn nearest to a pixel, and its distance in pixels; null if there is none. */
export function nearestTrace(
  traces: readonly Trace[],
  x: number,
  y: number,
  pixels: Pixels,
): { trace: Trace; distance: number } | null {
  let best: { trace: Trace; distance: number } | null = null;
  const at = pixels.invertX(x);
  for (const trace of traces) {
    const limit = best?.distance ?? Number.POSITIVE_INFINITY;
    const distance = distanceTo(trace.rows, at, x, y, pixels, limit);
    if (distance < limit) best = { trace, distance };
  }
  return best;
}

/** Return how far a line is from a pixel; `limit` or more if it is farther than that. */
function distanceTo(
  rows: readonly PlotRow[],
  at: number,
  x: number,
  y: number,
  pixels: Pixels,
  limit: number,
): number {
  let best = limit;
  const start = byX.left(rows, at);
  const look = (i: number) => {
    best = Math.min(best, stretchDistance(rows, i, x, y, pixels));
  };
  // outward from the pointer, until the rows are farther away than the nearest one by their x alone
  for (let i = start; i < rows.length; i++) {
    look(i);
    if (pixels.x(rows[i].x) - x > best) break;
  }
  for (let i = start - 1; i >= 0; i--) {
    look(i);
    if (x - pixels.x(rows[i].x) > best) break;
  }
  return best;
}

/** Return the distance to a row and to the stretch of line that ends at it. */
function stretchDistance(rows: readonly PlotRow[], i: number, x: number, y: number, pixels: Pixels): number {
  const [row, before] = [rows[i], rows[i - 1]];
  if (row.mark !== "line" && row.mark !== "dot") return Number.POSITIVE_INFINITY;
  const [toX, toY] = [pixels.x(row.x) - x, pixels.y(pixels.drawn(row)) - y];
  if (before?.mark !== "line" || row.mark !== "line" || before.part !== row.part) return length(toX, toY);
  const [fromX, fromY] = [pixels.x(before.x) - x, pixels.y(pixels.drawn(before)) - y];
  const [across, down] = [toX - fromX, toY - fromY];
  const square = across * across + down * down;
  const share = square ? Math.min(1, Math.max(0, -(fromX * across + fromY * down) / square)) : 0;
  return length(fromX + share * across, fromY + share * down);
}

function length(x: number, y: number): number {
  const long = Math.hypot(x, y);
  return Number.isNaN(long) ? Number.POSITIVE_INFINITY : long; // a value without a place on the axis
}
