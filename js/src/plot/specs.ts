import bar from "../../../src/trackbook/charts/vega_lite/bar.json";
import line from "../../../src/trackbook/charts/vega_lite/line.json";

/** A Vega-Lite spec of the named dataset `points`. Reuse the object: it is compiled once. */
export type Spec = Readonly<Record<string, unknown>>;

export type SpecName = "line-step" | "line-relative" | "line-time" | "line-metric" | "bar";

/** Which axes are logarithmic. */
export type LogAxes = Readonly<Record<"x" | "y", boolean>>;

const made = new Map<string, Spec>();

/** Return one of the board's own specs, which `src/trackbook/charts/specs.py` generates; always the same object. */
export function specOf(name: SpecName, log: LogAxes): Spec {
  const key = `${name} ${log.x} ${log.y}`;
  const spec = made.get(key) ?? (name === "bar" ? bar : lineOf(name, log));
  made.set(key, spec);
  return spec;
}

function lineOf(name: Exclude<SpecName, "bar">, log: LogAxes): Spec {
  const axis = name.slice("line-".length);
  const x = (line.x as Record<string, object>)[log.x && axis !== "time" ? `${axis}-log` : axis];
  const encoding = { ...line.spec.encoding, x, y: log.y ? line.y.log : line.y.linear };
  return { ...line.spec, encoding };
}
