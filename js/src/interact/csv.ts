import type { Requests } from "../frames/requests.ts";
import type { PlotRow, RunStyle } from "../plot/plot-rows.ts";

type CsvRow = Pick<PlotRow, "run" | "step" | "time" | "value">;

const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would execute it
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^-Infinity$/i;

/** Write the drawn rows of a chart as CSV. */
export function toCsv(rows: readonly CsvRow[]): string {
  const lines = rows.map(({ run, step, time, value }) => [
    run,
    String(step),
    new Date(time * 1000).toISOString(),
    String(value),
  ]);
  return [["run", "step", "time", "value"], ...lines].map(csvLine).join("");
}

/** Write a line of CSV. A text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(quote).join(",")}\r\n`;
}

function quote(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Ask the kernel for all points of some runs' metric. Rejects with `NoAnswer`. */
export async function allPoints(
  requests: Requests,
  metric: string,
  styles: readonly RunStyle[],
  onLate: () => void,
): Promise<CsvRow[]> {
  const runs = styles.map(({ run }) => run.id);
  const { content, buffers } = await requests.ask("points", { metric, runs }, onLate);
  const counts = content.rows as number[];
  const total = counts.reduce((sum, count) => sum + count, 0);
  const number = (column: number, row: number) => buffers[0].getFloat64(8 * (column * total + row), true);
  const labels = counts.flatMap((count, i) => Array<string>(count).fill(styles[i].label));
  return labels.map((run, row) => ({
    run,
    step: number(0, row),
    time: number(1, row),
    value: number(2, row),
  }));
}
