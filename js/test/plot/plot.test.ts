import { expect, test } from "vitest";
import { decodeSeries } from "../../src/frames/decode-series.ts";
import { decodeFrame, type RunHeader } from "../../src/frames/protocol.ts";
import { type ChartOptions, USUAL_OPTIONS } from "../../src/plot/chart-options.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import {
  type ChartAxes,
  type ChartContent,
  type DrawSettings,
  descending,
  plotOf,
} from "../../src/plot/plot.ts";
import { specOf } from "../../src/plot/specs.ts";
import { frame, run } from "../fixtures.ts";

function plot(
  values: number[][],
  runs: RunHeader[],
  more: Partial<DrawSettings & ChartAxes> = {},
  own: Partial<ChartOptions> = {},
) {
  const specs = values.map((column, key) => ({
    run: key,
    metric: 0,
    rows: column.map((value, step) => [step, step, value]),
  }));
  const { header, data } = decodeFrame(frame(specs, { runs })) as NonNullable<ReturnType<typeof decodeFrame>>;
  const { log = { x: false, y: false }, x = "step", xSeries = [], ...others } = more;
  const settings: DrawSettings = {
    styles: styleRuns(runs, "light"),
    hidden: new Set(),
    smoothing: { amount: 0, kind: "mean" },
    clipOutliers: "never",
    options: {},
    ...others,
  };
  const series = decodeSeries(header.series, data);
  const content: ChartContent = {
    series,
    fine: [],
    settings,
    axes: { x, log, xSeries },
    zoom: { x: null, y: null },
  };
  return plotOf(content, 512, { ...USUAL_OPTIONS, ...own });
}

const finished = (key: number, more: Partial<RunHeader> = {}) => run(key, { state: "finished", ...more });
const drawn = ({ traces }: ReturnType<typeof plot>) => traces.map(({ style }) => style.label);

test("single values of ended runs are bars, longest first", () => {
  const { kind, rows } = plot(
    [[1], [3], [Number.NaN], [2]],
    [0, 1, 2, 3].map(key => finished(key)),
  );
  expect(kind).toBe("bar");
  expect(rows.map(({ text }) => text)).toEqual(["3", "2", "1", "NaN"]);
});

test("bars say their difference to the baseline, and leave it room", () => {
  const runs = [0, 1, 2, 3].map(key => finished(key));
  const texts = (baseline: string) => {
    const { kind, log, rows } = plot([[0.9], [0.93], [Number.NaN], [0.9]], runs, {}, { baseline });
    const [, room] = JSON.stringify(specOf(kind, log, rows)).match(/width - (\d+)/) ?? [];
    return [...rows.map(({ text }) => text), room];
  };
  expect(texts("id0")).toEqual(["0.93 (+0.03)", "0.9", "0.9 (=)", "NaN", "110"]);
  expect(texts("")).toEqual(["0.93", "0.9", "0.9", "NaN", "60"]);
  expect(texts("id2")).toEqual(texts(""));
});

test("the number of bars is limited", () => {
  const keys = [...Array(40).keys()];
  expect(
    plot(
      keys.map(key => [key]),
      keys.map(key => finished(key)),
    ).rows,
  ).toHaveLength(10);
});

test("a single value of a running run is a line", () => {
  expect(plot([[1], [3]], [finished(0), run(1)]).kind).toBe("line-step");
});

test("a second value of any run makes lines", () => {
  expect(plot([[1], [3, 4]], [finished(0), finished(1)]).kind).toBe("line-step");
});

test("hidden runs are not drawn and do not affect the kind of chart", () => {
  const result = plot([[1], [3, 4]], [finished(0), finished(1)], { hidden: new Set(["id1"]) });
  expect([result.kind, drawn(result)]).toEqual(["bar", ["run-0"]]);
});

test("faded runs are drawn first, the current one last", () => {
  const runs = [run(0), finished(1), finished(2, { faded: true })];
  expect(
    drawn(
      plot(
        [
          [1, 2],
          [1, 2],
          [1, 2],
        ],
        runs,
      ),
    ),
  ).toEqual(["run-2", "run-1", "run-0"]);
});

test("empty series and series of unknown runs are not drawn", () => {
  expect(drawn(plot([[], [1, 2], [1, 2]], [run(0), run(1)]))).toEqual(["run-1"]);
});

test("descending puts NaN last", () => {
  expect([1, Number.NaN, Infinity, -Infinity].sort(descending)).toEqual([Infinity, 1, -Infinity, Number.NaN]);
});

test("non-positive values on a logarithmic y axis are counted marks", () => {
  const { rows, remarks } = plot([[1, 2, 0, -2, 10, 9]], [run(0)], { log: { x: false, y: true } });
  expect(rows.map(({ mark }) => mark)).toEqual(["line", "line", "below", "below", "line", "line"]);
  expect(remarks).toEqual(["2 values ≤ 0"]);
});

test("non-positive values end a line on a logarithmic axis as NaN does", () => {
  const values = [1, 2, -1, -2, 3, 4, 0, 5, -1];
  const sections = (of: number[]) =>
    plot([of], [run(0)], { log: { x: false, y: true } })
      .rows.filter(({ mark }) => mark === "line" || mark === "dot")
      .map(({ step, part, mark }) => [step, part, mark]);
  const drawnSteps = sections(values).map(([step]) => step);
  expect([drawnSteps, new Set(sections(values).map(([, part]) => part)).size]).toEqual([[0, 1, 4, 5, 7], 3]);
  expect(sections(values)).toEqual(sections(values.map(value => (value > 0 ? value : Number.NaN))));
});

test("a logarithmic x axis drops x ≤ 0 and says how many", () => {
  const { rows, remarks } = plot([[1, 2, 3]], [run(0)], { log: { x: true, y: false } });
  expect([rows.map(({ x }) => x), remarks]).toEqual([[1, 2], ["1 at x ≤ 0"]]);
});

test("with a metric as x axis, x is its value at the step", () => {
  const step = Float64Array.of(0, 2);
  const columns = { step, time: step, value: Float64Array.of(10, 20) };
  const xSeries = [{ kind: "points", run: 0, metric: 1, width: 1, rows: 2, columns } as const];
  const { kind, rows, remarks } = plot(
    [
      [1, 2, 3],
      [4, 5],
    ],
    [run(0), run(1)],
    { x: "epoch", xSeries },
  );
  expect([kind, rows.map(({ x, value }) => [x, value])]).toEqual([
    "line-metric",
    [
      [10, 1],
      [10, 2],
      [20, 3],
    ],
  ]);
  expect(remarks).toEqual(["without epoch: run-1"]);
});

test("values are pressed together where a linear axis shows all of them", () => {
  const exploding = [[...Array.from({ length: 50 }, (_, i) => 1 + i / 100), 9e5]];
  const pressed = (...more: [Parameters<typeof plot>[2]?, Parameters<typeof plot>[3]?]) =>
    plot(exploding, [finished(0)], ...more).pressed;
  expect(pressed()).toBeCloseTo(9e5 / 1.25);
  expect(pressed({ clipOutliers: "auto" })).toBeGreaterThan(1e5); // the latest value is no outlier
  expect(pressed({ clipOutliers: "always" })).toBeCloseTo(1.49 / 1.25, 1); // it is left out
  expect([
    pressed({ log: { x: false, y: true } }),
    pressed({}, { yRange: [0, 2] }),
    pressed({}, { natural: [0, 100] }),
  ]).toEqual([0, 0, 0]);
});

test("values are pressed together also by the largest one that is no outlier", () => {
  const decay = Array.from({ length: 120 }, (_, i) => ([1e6, 1e4, 100][i] ?? 1) * Math.exp(-0.05 * i));
  const { outliers, pressed } = plot([decay], [finished(0)], { clipOutliers: "auto" });
  expect([outliers?.count.atLeast, pressed > 1000]).toEqual([2, true]);
});
