import bar from "../../../src/trackbook/charts/vega_lite/bar.json";
import line from "../../../src/trackbook/charts/vega_lite/line.json";

import type { XAxis } from "../frames/view-state.ts";
import type { RunStyle } from "./plot-rows.ts";

/** A Vega-Lite spec of the named dataset `points`. Reuse the object: it is compiled once. */
export type Spec = Readonly<Record<string, unknown>>;

export type SpecName = "line-step" | "line-relative" | "line-time" | "line-metric" | "bar";

/** Which axes are logarithmic. */
export type LogAxes = Readonly<Record<"x" | "y", boolean>>;

const made = new Map<string, Spec>();

/** Return one of the board's own specs, which `src/trackbook/charts/bundled_specs.py` generates; always the same object. */
export function specOf(name: SpecName, log: LogAxes): Spec {
  const key = `${name} ${log.x} ${log.y}`;
  const spec = made.get(key) ?? (name === "bar" ? bar : lineOf(name, log));
  made.set(key, spec);
  return spec;
}

const AXIS_TITLES: Record<string, string | null> = { relative: "time since the start", time: null };

/** Return a board's spec as a chart that explains itself: with title, legend and axis name. */
export function pictureSpec(spec: Spec, title: string, x: XAxis, styles: readonly RunStyle[]): Spec {
  const { x: axis, color, ...encoding } = spec.encoding as Record<string, object>;
  const titled = { ...spec, title: { text: title, anchor: "start" } };
  if (!axis || !color) return titled; // bars carry their names
  const names = styles.map(({ label }) => label);
  const colors = {
    field: "run",
    type: "nominal",
    sort: names,
    scale: { domain: names, range: styles.map(({ color: own }) => own) },
    legend: { title: null, symbolType: "stroke", symbolStrokeWidth: 2, symbolOpacity: 1 },
  };
  const name = x in AXIS_TITLES ? AXIS_TITLES[x] : x;
  return { ...titled, encoding: { ...encoding, x: { ...axis, title: name }, color: colors } };
}

function lineOf(name: Exclude<SpecName, "bar">, log: LogAxes): Spec {
  const axis = name.slice("line-".length);
  const x = (line.x as Record<string, object>)[log.x && axis !== "time" ? `${axis}-log` : axis];
  const encoding = { ...line.spec.encoding, x, y: log.y ? line.y.log : line.y.linear };
  return { ...line.spec, encoding };
}
