/** How much of a result each config key explains, over runs whose other keys vary as well. */

import { rank } from "d3-array";
import type { RunEntry, Scalar } from "../frames/runs-table.ts";
import type { RunColumn } from "../runs/columns.ts";

const MOST_BINS = 5; // of a key with more different numbers
const LEAST_RUNS = 5;

export interface Importance {
  column: RunColumn;
  /** Share of the variance of the result's ranks that the key's groups explain, from 0 to 1, corrected for chance. */
  share: number;
  /** Spearman's rank correlation, from -1 to 1; NaN of a key that is not numeric. */
  correlation: number;
}

/** Return the importance of each column for a result, the largest first; none with too few runs. */
export function importances(
  columns: readonly RunColumn[],
  result: RunColumn,
  entries: readonly RunEntry[],
  now: number,
): Importance[] {
  const known = entries.filter(entry => Number.isFinite(result.value(entry, now)));
  if (known.length < LEAST_RUNS) return [];
  const found = columns.map(column => {
    const runs = known.filter(entry => isGiven(column.value(entry, now)));
    const values = runs.map(entry => column.value(entry, now) as Scalar);
    const ranks = ranksOf(runs.map(entry => result.value(entry, now) as number));
    const isNumeric = values.every(value => typeof value === "number");
    const correlation = isNumeric ? pearson(ranksOf(values as number[]), ranks) : Number.NaN;
    return { column, share: explained(groupsOf(values), ranks), correlation };
  });
  return found.sort((a, b) => b.share - a.share);
}

function isGiven(value: Scalar | undefined): boolean {
  return value !== undefined && value !== null && !Number.isNaN(value);
}

/** Return the ranks of numbers; equal ones share their mean rank. */
function ranksOf(values: readonly number[]): number[] {
  const first = rank(values); // of equal ones the same
  const counts = new Map<number, number>();
  for (const at of first) counts.set(at, (counts.get(at) ?? 0) + 1);
  return Array.from(first, at => at + ((counts.get(at) as number) - 1) / 2);
}

/** Group equal values; of many different numbers those of a fifth of the runs. */
function groupsOf(values: readonly Scalar[]): string[] {
  const distinct = new Set(values);
  if (distinct.size <= MOST_BINS || values.some(value => typeof value !== "number"))
    return values.map(value => JSON.stringify(value));
  const ranks = ranksOf(values as number[]);
  return ranks.map(at => String(Math.min(MOST_BINS - 1, Math.floor((at / values.length) * MOST_BINS))));
}

/** Return ε², the share of variance between groups, less what as many groups would explain by chance. */
function explained(groups: readonly string[], values: readonly number[]): number {
  const mean = meanOf(values);
  const total = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const members = new Map<string, number[]>();
  groups.forEach((group, i) => {
    members.set(group, [...(members.get(group) ?? []), values[i]]);
  });
  const inside = values.length - members.size;
  if (!total || inside <= 0 || members.size < 2) return 0;
  let within = 0;
  for (const own of members.values()) {
    const center = meanOf(own);
    for (const value of own) within += (value - center) ** 2;
  }
  return Math.max(0, 1 - within / inside / (total / (values.length - 1)));
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  let [both, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] - meanA, b[i] - meanB];
    both += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA && squareB ? both / Math.sqrt(squareA * squareB) : 0;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
