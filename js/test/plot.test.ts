import { expect, test } from "vitest";
import { styleRuns } from "../src/palette.ts";
import { descending, type Look, plotOf, valueWindow } from "../src/plot.ts";
import { decodeFrame, type RunHeader } from "../src/protocol.ts";
import { decodeSeries } from "../src/series.ts";
import { frame, run } from "./frames.ts";

function plot(values: number[][], runs: RunHeader[], more: Partial<Look> = {}) {
  const specs = values.map((column, key) => ({
    run: key,
    metric: 0,
    rows: column.map((value, step) => [step, step, value]),
  }));
  const { header, data } = decodeFrame(frame(specs, { runs })) as NonNullable<ReturnType<typeof decodeFrame>>;
  const look: Look = {
    styles: styleRuns(runs, "light"),
    hidden: new Set(),
    xAxis: "step",
    smoothing: 0,
    ...more,
  };
  return plotOf(
    header.series.map(each => decodeSeries(each, data)),
    look,
    512,
  );
}

const finished = (key: number, more: Partial<RunHeader> = {}) => run(key, { state: "finished", ...more });
const drawn = ({ traces }: ReturnType<typeof plot>) => traces.map(({ style }) => style.label);

test("one value a run, and no run running: bars, the longest first", () => {
  const { kind, rows } = plot(
    [[1], [3], [Number.NaN], [2]],
    [0, 1, 2, 3].map(key => finished(key)),
  );
  expect(kind).toBe("bar");
  expect(rows.map(({ text }) => text)).toEqual(["3", "2", "1", "NaN"]);
});

test("of many runs, as many bars as can be read", () => {
  const keys = [...Array(40).keys()];
  expect(
    plot(
      keys.map(key => [key]),
      keys.map(key => finished(key)),
    ).rows,
  ).toHaveLength(10);
});

test("one value of a run that is still running: a line to be", () => {
  expect(plot([[1], [3]], [finished(0), run(1)]).kind).toBe("line-step");
});

test("a second value anywhere: lines", () => {
  expect(plot([[1], [3, 4]], [finished(0), finished(1)]).kind).toBe("line-step");
});

test("hidden runs are not drawn, and do not decide what is", () => {
  const result = plot([[1], [3, 4]], [finished(0), finished(1)], { hidden: new Set(["id1"]) });
  expect([result.kind, drawn(result)]).toEqual(["bar", ["run-0"]]);
});

test("faded runs lie behind, the current one on top", () => {
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

test("a series of no rows, or of a run nobody told of, is not drawn", () => {
  expect(drawn(plot([[], [1, 2], [1, 2]], [run(0), run(1)]))).toEqual(["run-1"]);
});

test("the y axis follows the data by itself, save for one value and lonely dots", () => {
  expect(valueWindow(plot([[1, 2]], [run(0)]), null)).toBeNull();
  expect(valueWindow(plot([[4, 4]], [run(0)]), null)).toEqual([3.8, 4.2]);
  expect(valueWindow(plot([[1], [2]], [run(0), run(1)]), null)).toEqual([0.95, 2.05]);
  expect(valueWindow(plot([[Number.NaN]], [run(0)]), null)).toBeNull();
});

test("zoomed in, it spans what is to be seen", () => {
  expect(valueWindow(plot([[100, 1, 2]], [run(0)]), [0.5, 9])).toEqual([0.95, 2.05]);
  expect(valueWindow(plot([[100, 1]], [run(0)]), [5, 9])).toBeNull();
});

test("descending puts NaN last", () => {
  expect([1, Number.NaN, Infinity, -Infinity].sort(descending)).toEqual([Infinity, 1, -Infinity, Number.NaN]);
});
