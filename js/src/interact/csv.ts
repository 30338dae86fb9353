import type { PlotRow } from "../plot/rows.ts";

const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would execute it

/** Write the drawn rows of a chart as CSV. */
export function toCsv(rows: readonly PlotRow[]): string {
  const lines = rows.map(({ run, step, time, value }) => [
    quote(run),
    String(step),
    new Date(time * 1000).toISOString(),
    String(value),
  ]);
  return [["run", "step", "time", "value"], ...lines].map(line => `${line.join(",")}\r\n`).join("");
}

function quote(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
