import { expect, test } from "vitest";
import { nearestTrace } from "../../src/plot/nearest.ts";
import type { Trace } from "../../src/plot/plot.ts";
import type { PlotRow } from "../../src/plot/plot-rows.ts";

const PIXELS = {
  x: (value: number) => value * 3,
  y: (value: number) => 180 - value * 60,
  invertX: (pixel: number) => pixel / 3,
  drawn: (row: PlotRow) => row.value,
};

function generator(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

/** Lines with gaps, of unequal lengths and spacing, some of one point. */
function sweep(count: number, random: () => number): Trace[] {
  return Array.from({ length: count }, (_, run) => {
    const length = run % 17 === 0 ? 1 : 5 + Math.floor(random() * 60);
    let [x, value, part] = [random() * 30, random() * 3, 0];
    const rows = Array.from({ length }, () => {
      x += random() * 3;
      value += (random() - 0.5) * 0.2;
      const gap = random() < 0.05;
      if (gap) part++;
      return { x, value: gap ? Number.NaN : value, mark: gap ? "NaN" : length === 1 ? "dot" : "line", part };
    });
    return { style: { run: { key: run } }, rows } as unknown as Trace;
  });
}

/** The distance to every stretch of every line, by sampling each of them densely. */
function bySampling(traces: readonly Trace[], x: number, y: number): Map<Trace, number> {
  const far = (trace: Trace) => {
    let best = Number.POSITIVE_INFINITY;
    trace.rows.forEach((row, i) => {
      if (row.mark !== "line" && row.mark !== "dot") return;
      const before = trace.rows[i - 1];
      const joined = before?.mark === "line" && row.mark === "line" && before.part === row.part;
      for (let share = 0; share <= 1; share += joined ? 0.002 : 2) {
        const from = joined ? before : row;
        const at = {
          x: from.x + share * (row.x - from.x),
          value: from.value + share * (row.value - from.value),
        };
        best = Math.min(best, Math.hypot(PIXELS.x(at.x) - x, PIXELS.y(at.value) - y));
      }
    });
    return best;
  };
  return new Map(traces.map(trace => [trace, far(trace)]));
}

test("the nearest of 200 lines is right in 50 random probes", () => {
  const random = generator(11);
  const traces = sweep(200, random);
  for (let probe = 0; probe < 50; probe++) {
    const [x, y] = [random() * 400 - 20, random() * 200 - 10];
    const distances = bySampling(traces, x, y);
    const found = nearestTrace(traces, x, y, PIXELS);
    expect(found).not.toBeNull();
    const nearest = Math.min(...distances.values());
    expect(distances.get(found?.trace as Trace)).toBeLessThanOrEqual(nearest + 0.01);
    expect(found?.distance).toBeCloseTo(nearest, 1);
  }
});

test("a line beside the pointer is nearest by its side, not by its points", () => {
  const line = (key: number, ...points: [number, number][]) =>
    ({
      style: { run: { key } },
      rows: points.map(([x, value]) => ({ x, value, mark: "line", part: 0 })),
    }) as never;
  const [steep, flat] = [line(0, [10, 0], [10.1, 3]), line(1, [0, 2.5], [30, 2.5])];
  expect(nearestTrace([steep, flat], 31, 90, PIXELS)?.trace).toBe(steep);
});

test("a line ends where values are missing", () => {
  const rows = [
    { x: 0, value: 1, mark: "line", part: 0 },
    { x: 50, value: Number.NaN, mark: "NaN", part: 1 },
    { x: 100, value: 1, mark: "line", part: 1 },
  ];
  const found = nearestTrace([{ style: {}, rows } as never], 150, 120, PIXELS);
  expect(found?.distance).toBeCloseTo(150, 5);
});

test("without lines there is no nearest", () => {
  expect(nearestTrace([], 0, 0, PIXELS)).toBeNull();
  expect(nearestTrace([{ style: {}, rows: [] } as never], 0, 0, PIXELS)).toBeNull();
});
