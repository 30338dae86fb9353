/** What a group's row says of its runs: mean and best of a metric, the value or the number of values of anything else. */

import type { RunEntry, Scalar } from "../frames/runs-table.ts";
import { goalByName } from "../metrics.ts";
import { byBest, type Goal } from "../plot/emphasis.ts";
import type { RunColumn } from "./columns.ts";

export interface GroupSummary {
  text: string;
  title: string;
  isNumeric: boolean;
}

export function groupSummary(column: RunColumn, members: readonly RunEntry[], now: number): GroupSummary {
  const values = members
    .map(entry => column.value(entry, now))
    .filter(value => value !== undefined && value !== null);
  if (!values.length) return { text: "", title: "", isNumeric: false };
  const distinct = new Set(values.map(value => JSON.stringify(value)));
  const numbers = values.filter(value => typeof value === "number" && Number.isFinite(value)) as number[];
  const isSetting = column.kind === "config" || (column.kind === "run" && column.id !== "duration");
  if (isSetting || !numbers.length) {
    const same = distinct.size === 1;
    const text = same ? column.format(values[0] as Scalar) : `${distinct.size} values`;
    return { text, title: text, isNumeric: same && numbers.length > 0 };
  }
  const mean = numbers.reduce((sum, value, i) => sum + (value - sum) / (i + 1), 0);
  const goal = goalByNameColumn(column);
  const best = goal && [...numbers].sort(byBest(goal))[0];
  const average = `ø ${column.format(mean)}`;
  const count = `of ${numbers.length} runs`;
  if (best === null) return { text: average, title: `mean ${column.format(mean)} ${count}`, isNumeric: true };
  const text = `${average} ${goal === "min" ? "▾" : "▴"} ${column.format(best)}`;
  return {
    text,
    title: `mean ${column.format(mean)}, best ${column.format(best)} ${count}`,
    isNumeric: true,
  };
}

function goalByNameColumn({ id, kind }: RunColumn): Goal {
  return kind === "run" || kind === "config" ? null : goalByName(id.slice(kind.length + 1));
}
