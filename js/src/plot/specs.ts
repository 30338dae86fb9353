import bar from "../../../src/trackbook/charts/vega_lite/bar.json";
import metric from "../../../src/trackbook/charts/vega_lite/line-metric.json";
import relative from "../../../src/trackbook/charts/vega_lite/line-relative.json";
import step from "../../../src/trackbook/charts/vega_lite/line-step.json";
import time from "../../../src/trackbook/charts/vega_lite/line-time.json";

const SPECS = {
  "line-step": step,
  "line-relative": relative,
  "line-time": time,
  "line-metric": metric,
  bar,
} as const;

/** A Vega-Lite spec of the named dataset `points`. Reuse the object: it is compiled once. */
export type Spec = Readonly<Record<string, unknown>>;

export type SpecName = keyof typeof SPECS;

/** Which axes are logarithmic. */
export type LogAxes = Readonly<Record<"x" | "y", boolean>>;

const made = new Map<string, Spec>();

/** Return one of the board's own specs, which `src/trackbook/charts/specs.py` generates; always the same object. */
export function specOf(name: SpecName, log: LogAxes): Spec {
  const key = `${name} ${log.x} ${log.y}`;
  const spec = made.get(key) ?? withLogScales(SPECS[name], log);
  made.set(key, spec);
  return spec;
}

const TICKS = { tickCount: 4, tickMinStep: undefined, labelOverlap: "greedy" };

function withLogScales(spec: Spec, log: LogAxes): Spec {
  return JSON.parse(JSON.stringify(spec), (key, value) => {
    if ((key !== "x" && key !== "y") || !log[key] || !value?.scale) return value;
    const { zero: _, ...scale } = value.scale;
    // a time scale has no logarithm, so durations and steps become plain numbers
    return {
      ...value,
      type: "quantitative",
      scale: { ...scale, type: "log", nice: false },
      axis: { ...value.axis, ...TICKS },
    };
  });
}
