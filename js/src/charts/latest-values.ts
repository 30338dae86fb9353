import type { PartKey } from "../plot/combined.ts";
import { byBest, type Goal, goalSign } from "../plot/emphasis.ts";
import { drawingOrder } from "../plot/palette.ts";
import { bestTrace, type Plot, type Trace } from "../plot/plot.ts";
import { h, swatch } from "../ui/dom.ts";
import { formatOnAxis, formatValue } from "../ui/format.ts";

const DIGIT_WIDTH = 8; // px of a character of a value, in a wide font
const GAP = 10; // px between values
const NAME_WIDTH = 130; // px of a run's name before its value, at most
const LEAST_FOR_BEST = 240; // px of a chart whose header has room for the best value
const LETTER_WIDTH = 8; // px
const TITLE_SHARE = 0.35; // of the chart's width, at most, for the metric's name
const MENU_WIDTH = 28; // px

interface HeaderLook {
  width: number;
  /** The metric's name before the values. */
  title: string;
  /** Adds the runs' names, for charts without a legend beside them. */
  named?: boolean;
  /** About that of the y axis' ticks. */
  step?: number;
  goal?: Goal;
  /** The id of the run to compare with. */
  baseline?: string;
}

/**
 * Return the best value for a chart's header, and the latest value of each run, in the legend's order; those of the current and
 * the best runs if not all fit, or of the newest without a goal.
 */
export function latestValues(
  { kind, traces, rows }: Plot,
  { width, title, named = false, step = Number.NaN, goal = null, baseline = "" }: HeaderLook,
): HTMLElement[] {
  if (kind === "bar")
    // a bar shows its value itself
    return traces.length > rows.length ? [moreLabel(`+${traces.length - rows.length}`, "more runs")] : [];
  const ranked = byRank(traces, goal);
  const best = width >= LEAST_FOR_BEST ? bestLabel(traces, goal, step) : [];
  const base = traces.find(({ style }) => style.run.id === baseline)?.latest ?? Number.NaN;
  const beside = Math.min(width * TITLE_SHARE, title.length * LETTER_WIDTH) + MENU_WIDTH;
  const room = best.reduce((left, label) => left - valueWidth(label.textContent ?? ""), width - beside);
  const widthOf = ({ style, latest }: Trace) =>
    valueWidth(formatOnAxis(latest, step)) +
    (Number.isFinite(base) ? valueWidth(formatOnAxis(latest - base, step)) : 0) +
    (named ? nameWidth(style.label) : 0);
  const fits = howManyFit(ranked, widthOf, room);
  const rest = ranked.slice(fits);
  const names = rest.slice(0, 20).map(({ style, latest }) => `${style.label}: ${formatValue(latest)}`);
  return [
    ...best,
    ...ranked
      .slice(0, fits)
      .sort((a, b) => a.style.run.key - b.style.run.key)
      .map(trace => valueLabel(trace, { named, step, base, isBase: trace.style.run.id === baseline })),
    ...(rest.length ? [moreLabel(`+${rest.length}`, names.join("\n"))] : []),
  ];
}

/** Return the best value of all runs, unless it is the latest value of a lone one. */
function bestLabel(traces: readonly Trace[], goal: Goal, step: number): HTMLElement[] {
  const found = bestTrace(traces, goal);
  if (!found || (traces.length === 1 && found.best === found.latest)) return [];
  const text = `${goalSign(goal)} ${formatOnAxis(found.best, step)}`;
  const what = goal === "min" ? "Smallest value" : "Largest value";
  const label = h("span", { class: "tb-value tb-best", title: `${what}: ${found.style.label}` }, text);
  return [label];
}

/** Return the key of a combined chart for its header: each metric with its line, and its latest value where one run is drawn. */
export function partLabels(keys: readonly PartKey[], { traces }: Plot, step: number): HTMLElement[] {
  return keys.map(({ name, dash, color }) => {
    const trace = color === null ? undefined : traces.find(({ style }) => style.label === name);
    const value = trace ? [` ${formatOnAxis(trace.latest, step)}`] : [];
    const label = h("span", { class: "tb-value tb-part", title: name });
    label.append(swatch(trace?.style.color ?? "currentColor", dash, 20), name, ...value);
    if (trace) label.style.color = trace.style.ink;
    return label;
  });
}

/** Return how many values fit, at least one; if not all fit, reserve room for the number of the others. */
function howManyFit<T>(values: readonly T[], widthOf: (value: T) => number, room: number): number {
  const widths: number[] = [];
  let left = room;
  for (const value of values) {
    const width = widthOf(value);
    if (width > left) break;
    widths.push(width);
    left -= width;
  }
  if (widths.length < values.length)
    while (widths.length && left < valueWidth(`+${values.length - widths.length}`)) left += widths.pop() ?? 0;
  return Math.max(1, widths.length);
}

function valueWidth(text: string): number {
  return text.length * DIGIT_WIDTH + GAP;
}

function nameWidth(name: string): number {
  return Math.min(NAME_WIDTH, name.length * LETTER_WIDTH + 6);
}

function byRank(traces: readonly Trace[], goal: Goal): Trace[] {
  const order = drawingOrder(traces.map(({ style }) => style.run)).map(({ key }) => key);
  const last = order.pop();
  const rank = ({ style: { run } }: Trace) =>
    run.key === last ? -1 : run.faded ? order.length : order.length - 1 - order.indexOf(run.key);
  // the current run, then the best ones; the newest where no value is known to be better
  const isFirst = (trace: Trace) => (rank(trace) < 0 ? 0 : 1);
  const compare = byBest(goal);
  return [...traces].sort((a, b) => isFirst(a) - isFirst(b) || compare(a.best, b.best) || rank(a) - rank(b));
}

interface LabelLook {
  named: boolean;
  step: number;
  /** The baseline's latest value; NaN without one. */
  base: number;
  isBase: boolean;
}

function valueLabel({ style, latest }: Trace, { named, step, base, isBase }: LabelLook): HTMLElement {
  const line = swatch(style.color, style.dash);
  const name = named ? [line, h("span", { class: "tb-value-name" }, style.label)] : [];
  const delta = latest - base;
  const sign = delta < 0 ? "" : "+";
  const title = "Difference to the baseline";
  const difference =
    !isBase && Number.isFinite(delta)
      ? [h("span", { class: "tb-delta", title }, ` ${sign}${formatOnAxis(delta, step)}`)]
      : [];
  const label = isBase ? `${style.label}, the baseline` : style.label;
  const span = h(
    "span",
    { class: "tb-value", title: label },
    ...name,
    formatOnAxis(latest, step),
    ...difference,
  );
  span.style.color = style.ink;
  return span;
}

function moreLabel(text: string, title: string): HTMLElement {
  return h("span", { class: "tb-value tb-minor", title }, text);
}
