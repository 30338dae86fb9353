interface LineRow {
  value: number;
  smooth: number;
  x: number;
  mark: string;
  part: number;
  low?: number;
}

/** Number the sections of a line between its gaps, and mark a section of one row as a dot, because its line would be invisible. */
export function divide(rows: readonly LineRow[], isGap: (row: LineRow, i: number) => boolean) {
  const gaps = rows.map(isGap);
  if (!gaps.includes(true)) return;
  const sections = new Map<number, LineRow[]>();
  let part = 0;
  for (const [i, row] of rows.entries()) {
    if (gaps[i]) part++;
    row.part = part;
    if (!isDrawn(row)) continue;
    const section = sections.get(part);
    if (section) section.push(row);
    else sections.set(part, [row]);
  }
  for (const [only, ...others] of sections.values()) if (!others.length) only.mark = "dot";
}

export function isNotFinite({ value }: LineRow): boolean {
  return !Number.isFinite(value);
}

/**
 * Fit a line's rows to logarithmic axes: points without an x are left out, and values without a logarithm become marks. These end
 * the line as NaN does, but not where the smoothed line is positive, nor in a bucket or pixel column that has positive values, too.
 */
export function onLogarithms<Row extends LineRow>(
  rows: readonly Row[],
  points: readonly { bridged?: boolean }[],
  log: Readonly<Record<"x" | "y", boolean>>,
): Row[] {
  const kept: Row[] = [];
  const gaps: boolean[] = [];
  for (const [i, row] of rows.entries()) {
    if (log.x && row.x <= 0) continue;
    const fitted = log.y && isDrawn(row) ? fitValues(row) : row;
    kept.push(fitted);
    gaps.push(isNotFinite(row) || (fitted.mark === "below" && !(row.smooth > 0) && !points[i].bridged));
  }
  divide(kept, (_, i) => gaps[i]);
  return kept;
}

function fitValues<Row extends LineRow>(row: Row): Row {
  if (!(row.value > 0)) return { ...row, mark: "below" };
  const low = row.low !== undefined && row.low <= 0 ? { low: row.value } : {};
  const smooth = row.smooth > 0 ? row.smooth : Number.NaN;
  return { ...row, ...low, smooth };
}

function isDrawn({ mark }: LineRow): boolean {
  return mark === "line" || mark === "dot";
}
