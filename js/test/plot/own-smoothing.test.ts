import { expect, test } from "vitest";
import type { PointSeries } from "../../src/frames/series.ts";
import { ownSmoothing } from "../../src/plot/noise.ts";
import { OwnSmoothing } from "../../src/plot/own-smoothing.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { run } from "../fixtures.ts";

test("a chart whose noise is near the threshold is smoothed until it is well below", () => {
  const noisy = (thickness: number) => {
    const step = Float64Array.from({ length: 300 }, (_, i) => i);
    const value = step.map(i => i / 300 + thickness * ((i * i * 0.618) % 1));
    return {
      kind: "points",
      run: 0,
      metric: 0,
      width: 1,
      rows: 300,
      columns: { step, time: step, value },
    } as PointSeries;
  };
  const threshold = Array.from({ length: 100 }, (_, i) => i / 100).find(each => ownSmoothing([noisy(each)]));
  const at = (shares: readonly number[]) => shares.map(share => share * (threshold as number));
  const styles = styleRuns([run(0)], "light");
  const amounts = (...shares: number[]) => {
    const own = new OwnSmoothing();
    return shares.map(share => {
      const smoothing = { amount: 0, kind: "mean" as const, auto: true };
      const settings = {
        styles,
        hidden: new Set<string>(),
        smoothing,
        clipOutliers: "auto" as const,
        options: {},
      };
      return own.settle({ series: [noisy(share)], settings }).smoothing.amount;
    });
  };
  expect(amounts(...at([0.9, 1, 0.9, 0.8, 0.3, 0.9]))).toEqual([0, 8, 8, 8, 0, 0]);
  expect(amounts(...at([0.9]))).toEqual([0]);
});
