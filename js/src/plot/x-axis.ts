import { bisectRight } from "d3-array";
import type { Picture } from "../frames/picture.ts";
import type { Series } from "../frames/series.ts";
import type { XAxis } from "../frames/view-state.ts";
import { globMatches, isSystem } from "../metrics.ts";

/** An x axis that `define_metric` set for the metrics that match a glob. */
interface AxisDefinition {
  glob: string;
  x: string;
}

/** Return the x axes defined by a board's runs. */
export function axisDefinitions({ runs }: Pick<Picture, "runs">): AxisDefinition[] {
  return runs.flatMap(({ defined = [] }) => defined.map(([glob, x]) => ({ glob, x })));
}

/** Return the metrics defined as x axes of others, which have no charts of their own. */
export function axesOnly(picture: Pick<Picture, "runs" | "metrics">): Set<string> {
  const defined = axisDefinitions(picture);
  const metrics = picture.metrics.filter(metric => !isSystem(metric));
  const axes = new Set(
    metrics.flatMap(metric => [xAxisOf(metric, "step", defined)].filter(x => x !== metric)),
  );
  for (const other of ["step", "relative", "time"]) axes.delete(other);
  return axes;
}

/**
 * Return the x axis of a metric's chart: the board's, unless that is the step and another axis was defined for the
 * metric.
 */
export function xAxisOf(metric: string, chosen: XAxis, defined: readonly AxisDefinition[]): XAxis {
  if (isSystem(metric)) return chosen === "time" ? "time" : "relative"; // their steps have no meaning
  if (chosen !== "step") return chosen;
  const others = defined.filter(({ x }) => x !== metric);
  const exact = others.findLast(({ glob }) => glob === metric);
  return (exact ?? others.findLast(({ glob }) => globMatches(glob, metric)))?.x ?? "step";
}

const joins = new WeakMap<Series, (step: number) => number>();

/**
 * Return a metric's value as a function of the step: the last logged value, or, in and between buckets, a linear
 * interpolation. NaN before the first step.
 */
export function valueAtStep(series: Series): (step: number) => number {
  const join = joins.get(series) ?? joinOf(series);
  joins.set(series, join);
  return join;
}

function joinOf(series: Series): (step: number) => number {
  const [steps, values] = knots(series);
  return step => {
    const at = bisectRight(steps, step) - 1;
    if (at < 0) return Number.NaN;
    if (series.kind === "points" || at === steps.length - 1 || steps[at + 1] === steps[at]) return values[at];
    const share = (step - steps[at]) / (steps[at + 1] - steps[at]);
    return values[at] + (values[at + 1] - values[at]) * share;
  };
}

function knots(series: Series): [steps: number[], values: number[]] {
  const ends = series.kind === "points" ? [""] : ["first", "last"];
  const columns = series.columns as unknown as Record<string, Float64Array>;
  const [steps, values]: [number[], number[]] = [[], []];
  for (let row = 0; row < series.rows; row++) {
    for (const end of ends) {
      const value = columns[end || "value"][row];
      if (!Number.isFinite(value)) continue;
      steps.push(columns[end ? `${end}_step` : "step"][row]);
      values.push(value);
    }
  }
  return [steps, values];
}
