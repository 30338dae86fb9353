import bar from "../../../src/trackbook/charts/vega_lite/bar.json";
import line from "../../../src/trackbook/charts/vega_lite/line.json";

import type { XAxis } from "../frames/view-state.ts";
import { literal, ownEntry } from "../metrics.ts";
import { formatValue } from "../ui/format.ts";
import type { PlotRow, RunStyle } from "./plot-rows.ts";

/** A Vega-Lite spec of the named dataset `points`. Reuse the object: it is compiled once. */
export type Spec = Readonly<Record<string, unknown>>;

export type SpecName = "line-step" | "line-relative" | "line-time" | "line-metric" | "bar";

/** Which axes are logarithmic. */
export type LogAxes = Readonly<Record<"x" | "y", boolean>>;

const made = new Map<string, Spec>();

/** Return one of the board's own specs, which `src/trackbook/charts/bundled_specs.py` generates; always the same object. */
export function specOf(name: SpecName, log: LogAxes, rows: readonly Pick<PlotRow, "text">[] = []): Spec {
  const isCompared = rows.some(({ text }) => text?.endsWith(")")); // bars with their differences, which need room
  const key = `${name} ${log.x} ${log.y} ${isCompared}`;
  const spec = made.get(key) ?? (name === "bar" ? barOf(isCompared) : lineOf(name, log));
  made.set(key, spec);
  return spec;
}

const AXIS_TITLES: Record<string, string | null> = { relative: "time since the start", time: null };

/** Return a board's spec as a chart that explains itself: with title, legend and axis name. */
export function pictureSpec(
  spec: Spec,
  title: string,
  x: XAxis,
  traces: readonly { style: RunStyle; latest: number }[],
): Spec {
  const { x: axis, color, ...encoding } = spec.encoding as Record<string, object>;
  const titled = { ...spec, title: { text: literal(title), anchor: "start" } };
  if (!axis || !color) return titled; // bars carry their names
  const styles = traces.map(({ style }) => style);
  const names = styles.map(({ label }) => literal(label));
  const values = JSON.stringify(traces.map(({ latest }) => formatValue(latest)));
  const colors = {
    field: "run",
    type: "nominal",
    sort: names,
    scale: { domain: names, range: styles.map(({ color: own }) => own) },
    legend: {
      title: null,
      symbolType: "stroke",
      symbolStrokeWidth: 2,
      symbolOpacity: 1,
      labelExpr: `datum.label + '  ' + ${values}[datum.index]`,
    },
  };
  const name = ownEntry(AXIS_TITLES, x);
  const { legend: _, ...own } = color as Record<string, unknown>; // without one, which would remove that of all
  const isExtra = (layer: object) => /'(reference|best)'/.test(JSON.stringify(layer));
  const layer = (spec.layer as { encoding: object }[]).map(each =>
    isExtra(each) ? { ...each, encoding: { ...each.encoding, color: own } } : each,
  );
  return {
    ...titled,
    layer,
    encoding: { ...encoding, x: { ...axis, title: name === undefined ? literal(x) : name }, color: colors },
  };
}

function barOf(isCompared: boolean): Spec {
  return isCompared ? JSON.parse(JSON.stringify(bar).replace("width - 60", "width - 110")) : bar;
}

function lineOf(name: Exclude<SpecName, "bar">, log: LogAxes): Spec {
  const axis = name.slice("line-".length);
  const x = (line.x as Record<string, object>)[log.x && axis !== "time" ? `${axis}-log` : axis];
  const encoding = { ...line.spec.encoding, x, y: log.y ? line.y.log : line.y.linear };
  return { ...line.spec, encoding };
}
