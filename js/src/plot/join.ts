import { bisectRight } from "d3-array";
import type { Picture } from "../frames/picture.ts";
import type { Series } from "../frames/series.ts";
import type { XAxis } from "../frames/view-state.ts";
import { globMatches, isSystem } from "../metrics.ts";

/** The x axis that `define_metric` gave to metrics of a name, or of names like it: `*` stands for any text. */
interface AxisDefinition {
  glob: string;
  x: string;
}

/** What the runs of a board define, as `src/trackbook/_defined.py` has it. */
export function axisDefinitions({ runs }: Pick<Picture, "runs">): AxisDefinition[] {
  return runs.flatMap(({ defined = [] }) => defined.map(([glob, x]) => ({ glob, x })));
}

/**
 * What a chart's x axis shows: what the board's does, unless that is the step, and another was defined, which the metric
 * itself is not.
 */
export function xAxisOf(metric: string, chosen: XAxis, defined: readonly AxisDefinition[]): XAxis {
  if (isSystem(metric)) return chosen === "time" ? "time" : "relative"; // a clock for themselves, and no steps that say something
  if (chosen !== "step") return chosen;
  const others = defined.filter(({ x }) => x !== metric);
  const exact = others.findLast(({ glob }) => glob === metric);
  return (exact ?? others.findLast(({ glob }) => globMatches(glob, metric)))?.x ?? "step";
}

const joins = new WeakMap<Series, (step: number) => number>();

/**
 * A metric's value at a step: the last one logged, or, between the ends of a bucket and from one bucket to the next, a
 * straight line. NaN before its first step.
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
