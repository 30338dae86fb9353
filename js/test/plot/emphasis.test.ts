import { expect, test } from "vitest";
import type { Series } from "../../src/frames/series.ts";
import { USUAL_OPTIONS } from "../../src/plot/chart-options.ts";
import { bestValue, emphasize } from "../../src/plot/emphasis.ts";
import { plotOf } from "../../src/plot/plot.ts";
import type { RunStyle } from "../../src/plot/plot-rows.ts";
import { parts, run } from "../fixtures.ts";

const style = (key: number): RunStyle => ({
  run: run(key),
  label: `run ${key}`,
  color: "#2347d9",
  ink: "#2347d9",
  dash: [],
});
const many = Array.from({ length: 25 }, (_, key) => style(key));
const bests = new Map(many.map(({ run: { key } }) => [key, Math.abs(key - 7)]));

test("of many lines the best and the current are strong and on top", () => {
  const drawn = emphasize(many, bests, "min");
  expect(drawn.slice(-2).map(({ run: { key } }) => key)).toEqual([7, 24]);
  expect(drawn.filter(({ faint }) => !faint).map(({ color }) => color)).toEqual(["#2347d9", "#2347d9"]);
  expect(new Set(drawn.slice(0, -2).map(({ color }) => color))).toEqual(new Set(["#2347d97a"]));
});

test("without a goal only the current line is strong", () => {
  expect(emphasize(many, new Map(), null).filter(({ faint }) => !faint)).toEqual([many[24]]);
});

test("up to twenty lines are all strong", () => {
  expect(emphasize(many.slice(0, 20), bests, "min")).toEqual(many.slice(0, 20));
});

test("the best value is the smallest or the largest finite one", () => {
  const points = {
    kind: "points",
    rows: 4,
    columns: { value: [3, Number.NaN, 1, Number.POSITIVE_INFINITY] },
  };
  const buckets = { kind: "buckets", rows: 2, columns: { min: [2, 1], max: [5, Number.NaN] } };
  const of = (series: unknown, goal: "min" | "max" | null) => bestValue(series as Series, goal);
  expect([of(points, "min"), of(points, "max")]).toEqual([1, 3]);
  expect([of(buckets, "min"), of(buckets, "max")]).toEqual([1, 5]);
  expect(of(points, null)).toBeNaN();
});

test("the more lines there are, the fainter they are", () => {
  const alpha = (count: number) => {
    const styles = Array.from({ length: count }, (_, key) => style(key));
    return Number.parseInt(emphasize(styles, new Map(), null)[0].color.slice(7), 16);
  };
  expect([alpha(21) > alpha(100), alpha(100) > alpha(1000), alpha(1000)]).toEqual([true, true, 36]);
});

test("the baseline is as strong as the best and the current, unless it is one of them", () => {
  const strong = (baseline: string) =>
    emphasize(many, bests, "min", baseline)
      .filter(({ faint }) => !faint)
      .map(({ run: { key } }) => key);
  expect([strong("id3"), strong("id7"), strong("id24"), strong("gone")]).toEqual([
    [3, 7, 24],
    [7, 24],
    [7, 24],
    [7, 24],
  ]);
});

test("a chart draws its baseline strong", () => {
  const [{ content }] = parts(25);
  const { traces } = plotOf(content as never, 100, { ...USUAL_OPTIONS, baseline: "id3" });
  expect(traces.filter(({ style }) => !style.faint).map(({ style }) => style.run.id)).toEqual([
    "id3",
    "id24",
  ]);
});
