import { expect, test } from "vitest";
import type { PointSeries } from "../../src/frames/series.ts";
import { LogHint, pressure } from "../../src/plot/log-hint.ts";

const points = (values: readonly number[], run = 0) => {
  const step = Float64Array.from(values.keys());
  const columns = { step, time: step, value: Float64Array.from(values) };
  return { kind: "points", run, metric: 0, width: 1, rows: values.length, columns } as unknown as PointSeries;
};
const around = (value: number, length = 99) => Array.from({ length }, (_, i) => value * (1 + i / 1000));

test("a line is pressed by what explodes, in whichever run that is", () => {
  const pressed = pressure([points([...around(0.5), 5e3, Number.NaN])]);
  expect(pressed).toBeGreaterThan(9000);
  expect(pressed).toBeLessThan(10_000);
  const runs = [points(around(0.5)), points(around(0.6), 1), points([...around(0.5), 5e3], 2)];
  expect(pressure(runs)).toBeGreaterThan(8000);
  expect(pressure([points(around(0.5))])).toBeLessThan(2);
});

test("where outliers are left out, the values inside may still be pressed", () => {
  const decay = Array.from({ length: 150 }, (_, i) => ([1e6, 1e4, 100][i] ?? 1) * Math.exp(-0.05 * i));
  expect(pressure([points(decay)], [0, 95])).toBeGreaterThan(1000);
  expect(pressure([points([...around(0.5), 5e3])], [0.4, 0.6])).toBeLessThan(2);
  expect(pressure([points([...around(0.5), -1])], [0.4, 0.6])).toBe(0);
  expect(pressure([points([...around(0.5), ...around(90)])], [80, 100])).toBeLessThan(2);
  expect(pressure([points([...around(0.5, 20), ...around(90)])], [0.4, 0.6])).toBe(0);
});

test("few values, values that are not positive, and none have no pressure", () => {
  expect(pressure([points([0.5, 0.5, 5e3])])).toBe(0);
  expect(pressure([points([...around(0.5), 0, 5e3])])).toBe(0);
  expect(pressure([points([...around(0.5), 5e3]), points([-1], 1)])).toBe(0);
  expect(pressure([points([])])).toBe(0);
});

test("the hint comes at a hundredth, stays while the median rises, and goes for good with a logarithmic axis", () => {
  const hint = new LogHint();
  const shown = (pressed: number, y = false) => hint.settle({ pressed, log: { y } });
  expect([99, 100, 99, 40, 101, 29, 99].map(pressed => shown(pressed))).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect([shown(1e6), shown(1e6, true), shown(1e6)]).toEqual([true, false, false]);
});
