/** Draws each group of runs as one run: turns a picture into a picture of groups. */

import { bisectLeft, bisectRight } from "d3-array";
import { sameItems } from "../frames/columns.ts";
import type { Picture } from "../frames/picture.ts";
import type { RunHeader } from "../frames/protocol.ts";
import { type PointSeries, type Series, widenTo } from "../frames/series.ts";
import type { ViewTraits } from "../frames/view-state.ts";

type Band = ViewTraits["band"];

/** The mean series of several runs, with a band. */
type GroupSeries = PointSeries & { band: { low: Float64Array; high: Float64Array } | null };

interface GroupKey {
  key: string;
  label: string;
}

export interface GroupPicture extends Picture {
  /** Ids of a group's runs, by the id of its header. */
  members: ReadonlyMap<string, readonly string[]>;
  /** The key of a group's header, by the group's key. */
  keys: ReadonlyMap<string, number>;
}

const LEAST_OVERLAP = 0.8; // share of common buckets, between first and last, that each run must have
const LEAST_ROWS = 8; // rows below which buckets are not widened

interface GroupMembers {
  series: readonly Series[];
  starts: readonly number[];
  start: number;
}

type Cache = Map<string, { key: readonly unknown[]; series: GroupSeries }>;

/** Makes pictures of groups. A group's series stays the same object while its runs' series do. */
export class RunGrouper {
  #cache: Cache = new Map();

  /** Hidden runs are left out, unless a group has no others. */
  groupPicture(
    picture: Picture,
    groupOf: (run: RunHeader) => GroupKey,
    hidden: ReadonlySet<string>,
    band: Band,
  ): GroupPicture {
    const groups = new Map<string, { label: string; runs: RunHeader[] }>();
    for (const run of picture.runs) {
      const { key, label } = groupOf(run);
      const group = groups.get(key) ?? { label, runs: [] };
      group.runs.push(run);
      groups.set(key, group);
    }
    const made: Cache = new Map();
    const runs: RunHeader[] = [];
    const series: GroupSeries[] = [];
    for (const [place, [key, { label, runs: all }]] of [...groups].entries()) {
      const visible = all.filter(({ id }) => !hidden.has(id));
      const members = visible.length ? visible : all;
      runs.push(groupHeader(place, key, label, members));
      for (const [metric, sources] of membersByMetric(picture, members, runs[place].started)) {
        const name = `${metric}/${key}`;
        const inputs = [band, place, sources.start, ...sources.starts, ...sources.series];
        const before = this.#cache.get(name);
        const same = before && sameItems(before.key, inputs);
        const own = same ? before.series : { ...aggregate(sources, band), run: place, metric };
        made.set(name, { key: inputs, series: own });
        series.push(own);
      }
    }
    this.#cache = made;
    const ids = [...groups.values()].map(({ runs }) => runs.map(({ id }) => id));
    return {
      ...picture,
      runs,
      series: series.sort((a, b) => a.run - b.run || a.metric - b.metric),
      members: new Map(runs.map(({ id }, i) => [id, ids[i]])),
      keys: new Map([...groups.keys()].map((key, place) => [key, place])),
    };
  }
}

/** Make a run header for a group, for legend, hover and charts. */
function groupHeader(key: number, group: string, label: string, members: readonly RunHeader[]): RunHeader {
  const running = members.some(({ state }) => state === "running");
  const started = members.reduce((sum, run) => sum + run.started / members.length, 0);
  const ends = members.map(({ ended }) => ended ?? 0);
  return {
    ...members[0],
    key,
    place: key,
    id: `group:${group}`,
    name: `${label} (${members.length} ${members.length === 1 ? "run" : "runs"})`,
    state: running ? "running" : "finished",
    started,
    ended: running ? null : Math.max(...ends),
    faded: members.every(({ faded }) => faded),
    error: null,
  };
}

function membersByMetric(
  picture: Picture,
  members: readonly RunHeader[],
  start: number,
): Map<number, GroupMembers> {
  const starts = new Map(members.map(({ key, started }) => [key, started]));
  const found = new Map<number, { series: Series[]; starts: number[]; start: number }>();
  for (const series of picture.series) {
    const began = starts.get(series.run);
    if (began === undefined || !series.rows) continue;
    const sources = found.get(series.metric) ?? { series: [], starts: [], start };
    sources.series.push(series);
    sources.starts.push(began);
    found.set(series.metric, sources);
  }
  return found;
}

/**
 * Average the runs' means per bucket. The band is the smallest and largest value of any run, or one standard
 * deviation between the runs' means. Times are relative to each run's start, shifted to `start`.
 */
export function aggregate({ series, starts, start }: GroupMembers, band: Band): GroupSeries {
  const runs = toCommonWidth(series).map(summariesByBucket);
  const buckets = new Map<number, { run: number; place: BucketSummary }[]>();
  runs.forEach((own, run) => {
    for (const [bucket, place] of own) {
      const met = buckets.get(bucket);
      if (met) met.push({ run, place });
      else buckets.set(bucket, [{ run, place }]);
    }
  });
  const order = [...buckets.keys()].sort((a, b) => a - b);
  const column = () => new Float64Array(order.length);
  const [step, time, value, low, high] = [column(), column(), column(), column(), column()];
  order.forEach((bucket, row) => {
    const met = buckets.get(bucket) as { run: number; place: BucketSummary }[];
    const finite = met.filter(({ place }) => Number.isFinite(place.mean)).map(({ place }) => place);
    step[row] = Math.round(meanOf(met.map(({ place }) => place.step)));
    time[row] = start + meanOf(met.map(({ run, place }) => place.time - starts[run]));
    value[row] = finite.length ? meanOf(finite.map(({ mean }) => mean)) : met[0].place.odd;
    [low[row], high[row]] = bandOf(finite, value[row], band);
  });
  const [{ run, metric }, rows] = [series[0], order.length];
  const around = band === "none" || series.length === 1 ? null : { low, high };
  return { kind: "points", run, metric, width: 1, rows, columns: { step, time, value }, band: around };
}

interface BucketSummary {
  step: number;
  time: number;
  /** NaN if no value is finite. */
  mean: number;
  min: number;
  max: number;
  /** The value to show if none is finite. */
  odd: number;
}

function bandOf(finite: readonly BucketSummary[], mean: number, band: Band): [number, number] {
  if (!finite.length) return [Number.NaN, Number.NaN];
  if (band !== "std")
    return [Math.min(...finite.map(({ min }) => min)), Math.max(...finite.map(({ max }) => max))];
  const squares = finite.reduce((sum, place) => sum + (place.mean - mean) ** 2, 0);
  const deviation = finite.length > 1 ? Math.sqrt(squares / (finite.length - 1)) : 0;
  return [mean - deviation, mean + deviation];
}

/**
 * Bring all series to one bucket width: the largest, or larger if runs that log at different steps would rarely
 * overlap.
 */
function toCommonWidth(series: readonly Series[]): Series[] {
  let width = Math.max(...series.map(({ width }) => width));
  let same = series.map(one => widenTo(one, width));
  while (Math.max(...same.map(({ rows }) => rows)) > LEAST_ROWS && overlapShare(same) < LEAST_OVERLAP) {
    width *= 2;
    same = series.map(one => widenTo(one, width));
  }
  return same;
}

/** Return the share of buckets, between each run's first and last, that the run has. */
function overlapShare(series: readonly Series[]): number {
  const buckets = series.map(bucketNumbers);
  const all = [...new Set(buckets.flatMap(own => [...own]))].sort((a, b) => a - b);
  let [could, did] = [0, 0];
  for (const own of buckets) {
    could += bisectRight(all, own[own.length - 1]) - bisectLeft(all, own[0]);
    did += own.length;
  }
  return did / could;
}

function bucketNumbers(series: Series): Float64Array {
  return series.kind === "points" ? series.columns.step : series.columns.bucket;
}

function summariesByBucket(series: Series): Map<number, BucketSummary> {
  const found = new Map<number, BucketSummary>();
  for (let row = 0; row < series.rows; row++) {
    if (series.kind === "points") {
      const { step, time, value } = series.columns;
      const odd = value[row];
      const mean = Number.isFinite(odd) ? odd : Number.NaN;
      found.set(step[row], { step: step[row], time: time[row], mean, min: mean, max: mean, odd });
    } else {
      const { bucket, first_step, last_step, first_time, last_time, mean, min, max, last } = series.columns;
      found.set(bucket[row], {
        step: (first_step[row] + last_step[row]) / 2,
        time: (first_time[row] + last_time[row]) / 2,
        mean: mean[row],
        min: min[row],
        max: max[row],
        odd: last[row],
      });
    }
  }
  return found;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((mean, value, i) => mean + (value - mean) / (i + 1), 0);
}
