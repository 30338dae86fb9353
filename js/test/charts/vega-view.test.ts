// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { createVegaView, forbidsEval, vegaConfig } from "../../src/charts/vega-view.ts";
import { PALETTE } from "../../src/plot/palette.ts";
import type { PlotRow } from "../../src/plot/plot-rows.ts";
import { specOf } from "../../src/plot/specs.ts";

const WORDS = { font: "sans-serif", label: "", frame: "" };

/** A canvas that draws nothing; the tests compare scenes. */
const paper = new Proxy({} as Record<string, unknown>, {
  get: (set, name: string) => set[name] ?? (() => ({ width: 0 })),
});
HTMLCanvasElement.prototype.getContext = (() => paper) as never;

let seed = 3;
function random(below: number): number {
  seed = (seed * 48271) % 2147483647;
  return seed % below;
}

const SIGNALS = { smoothing: 0, x_window: null, y_window: null, x_log: false, y_log: false };

function someRows(): PlotRow[] {
  const marks = ["line", "line", "line", "line", "dot", "NaN", "Infinity", "below"] as const;
  return ["a", "b", "c"].slice(random(2)).flatMap(run => {
    const color = run === "a" && random(2) ? "#ff0000" : "#00ff00";
    const grouped = random(2) > 0;
    return Array.from({ length: random(12) }, (_, x): PlotRow => {
      const value = random(100);
      const mark = marks[random(marks.length)];
      const band = grouped && mark === "line" ? { low: value - 1, high: value + 1 } : {};
      return {
        run,
        step: x,
        time: x,
        value,
        smooth: value / 2,
        x: x + random(2),
        mark,
        part: Math.floor(x / 4),
        color,
        dash: [],
        ...band,
      };
    }).sort((a, b) => a.x - b.x);
  });
}

test("overwritten rows draw the same as rows of a new chart", async () => {
  const spec = specOf("line-step", { x: false, y: false });
  const canvas = () => createVegaView(spec, "light", WORDS, document.createElement("div"));
  const live = canvas();
  for (let round = 0; round < 60; round++) {
    const rows = someRows();
    const signals = { ...SIGNALS, smoothing: random(2) };
    await live.drawLines(rows, signals);
    const fresh = canvas();
    await fresh.drawLines(rows, signals);
    expect(picture(await live.view.toSVG())).toEqual(picture(await fresh.view.toSVG()));
    fresh.view.finalize();
  }
});

interface Operators {
  _runtime: { nodes: Record<string, { value?: { empty?: number } }> };
}

test("few items of removed rows are kept", async () => {
  const canvas = createVegaView(
    specOf("line-step", { x: false, y: false }),
    "light",
    WORDS,
    document.createElement("div"),
  );
  const row = { run: "a", color: "#00ff00", dash: [], mark: "line", part: 0, value: 1, smooth: 1 } as const;
  for (let round = 0; round < 20; round++) {
    const rows = Array.from(
      { length: round % 2 ? 10 : 300 },
      (_, x): PlotRow => ({ ...row, step: x, time: x, x }),
    );
    await canvas.drawLines(rows, SIGNALS);
  }
  const { nodes } = (canvas.view as unknown as Operators)._runtime;
  const kept = Object.values(nodes).flatMap(({ value }) => (value?.empty === undefined ? [] : [value.empty]));
  expect(kept.length).toBeGreaterThan(0);
  expect(Math.max(...kept)).toBeLessThanOrEqual(500);
});

/** Return what is drawn, regardless of the order of symbols and line groups. */
function picture(svg: string): string[] {
  const shapes = svg.match(/<(path|text|line)[^>]*>/g) ?? [];
  return shapes.filter(shape => !shape.includes('d=""')).sort();
}

test("a content security policy forbids eval unless it allows it", () => {
  expect(forbidsEval("default-src 'none'")).toBe(true);
  expect(forbidsEval("img-src 'none'")).toBe(false);
  expect(forbidsEval("default-src 'none'; Script-Src 'self'  'unsafe-eval'")).toBe(false);
  expect(forbidsEval("script-src 'self' 'wasm-unsafe-eval'; default-src 'unsafe-eval'")).toBe(true);
});

test("words of the page replace the palette's", () => {
  const usual = vegaConfig("dark", WORDS) as Record<string, Record<string, unknown>>;
  const strong = vegaConfig("dark", { font: "x", label: "#eeeeee", frame: "#ffffff" }) as typeof usual;
  expect([usual.axis.labelColor, usual.axisX.domainColor]).toEqual([PALETTE.dark.label, PALETTE.dark.frame]);
  expect([strong.axis.labelColor, strong.axisX.domainColor, strong.axisX.tickColor]).toEqual([
    "#eeeeee",
    "#ffffff",
    "#ffffff",
  ]);
});
