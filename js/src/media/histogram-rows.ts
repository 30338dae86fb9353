/** The rows that histograms draw: pure. */
import type { MediaItem, RunLook } from "./media-types.ts";

const BINS = 48; // of a heat map
const COLUMNS = 120; // steps of a heat map

export interface BarRow {
  from: number;
  to: number;
  count: number;
  run: string;
  step: number;
  color: string;
}

export interface HeatRow {
  from: number;
  to: number;
  step: number;
  next: number;
  /** Of the values at this step. */
  share: number;
  count: number;
}

export function barRows(items: readonly MediaItem[], runs: readonly RunLook[]): BarRow[] {
  const looks = new Map(runs.map(run => [run.id, run]));
  return items.flatMap(({ run, step, about: { edges = [], counts = [] } }) => {
    const look = looks.get(run);
    const [name, color] = [look?.label ?? run, look?.color ?? "gray"];
    return counts.map((count, i) => ({ from: edges[i], to: edges[i + 1], count, run: name, step, color }));
  });
}

/** Return the cells of a heat map of histograms over their steps, in bins that all of them share. */
export function heatRows(items: readonly MediaItem[]): HeatRow[] {
  const all = [...items].filter(({ about }) => about.counts?.length).sort((a, b) => a.step - b.step);
  const every = Math.max(1, Math.ceil(all.length / COLUMNS));
  const own = all.filter((_, i) => i % every === 0);
  const ends = own
    .flatMap(({ about: { edges = [] } }) => [edges[0], edges[edges.length - 1]])
    .filter(Number.isFinite);
  if (!ends.length) return [];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const width = (high - low || 1) / BINS;
  return own.flatMap((item, i) => {
    const { edges = [], counts = [] } = item.about;
    const usual = own.length > 1 ? (own[own.length - 1].step - own[0].step) / (own.length - 1) : 1;
    const next = own[i + 1]?.step ?? item.step + usual;
    const sums = rebinned(edges, counts, low, width);
    const total = sums.reduce((sum, count) => sum + count, 0) || 1;
    return sums.flatMap((count, bin) =>
      count > 0
        ? [
            {
              from: low + bin * width,
              to: low + (bin + 1) * width,
              step: item.step,
              next,
              share: count / total,
              count,
            },
          ]
        : [],
    );
  });
}

/** Spread counts over equal bins, by how much of each the old bins cover. */
export function rebinned(
  edges: readonly number[],
  counts: readonly number[],
  low: number,
  width: number,
  bins = BINS,
): number[] {
  const sums = new Array<number>(bins).fill(0);
  for (const [i, count] of counts.entries()) {
    const [from, to] = [(edges[i] - low) / width, (edges[i + 1] - low) / width];
    const last = Math.min(bins - 1, Math.max(0, Math.ceil(to) - 1));
    const first = Math.min(last, Math.max(0, Math.floor(from)));
    if (!(to > from)) {
      sums[Math.min(bins - 1, Math.max(0, Math.floor(from)))] += count;
      continue;
    }
    for (let bin = first; bin <= last; bin++) {
      const covered = Math.min(bin + 1, to) - Math.max(bin, from);
      sums[bin] += (count * Math.max(0, covered)) / (to - from);
    }
  }
  return sums;
}
