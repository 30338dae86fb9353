import type { PartKey } from "../plot/combined.ts";
import { byBest, type Goal, goalSign } from "../plot/emphasis.ts";
import { currentRun, drawingOrder } from "../plot/palette.ts";
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
const PART_WIDTH = 24; // px of the line before a metric's name

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

/**
 * Return the key of a combined chart for its header: each metric with its line. With it stands the metric's latest value where
 * one run is drawn; where several are, that of the current run, as far as it fits, to compare it with the baseline's.
 */
export function partLabels(
  keys: readonly PartKey[],
  { traces }: Plot,
  { width, title, step = Number.NaN, baseline = "" }: HeaderLook,
): HTMLElement[] {
  const current = currentRun(traces.map(({ style }) => style.run))?.id;
  const parts = keys.map((key, part) => {
    const of = (id?: string) =>
      traces.find(({ style: { run } }) => run.id === id && run.key % keys.length === part);
    const base = current === baseline ? undefined : of(baseline);
    return { key, trace: of(current), base: base?.latest ?? Number.NaN };
  });
  const labels = (isValued: (part: (typeof parts)[number]) => boolean) =>
    parts.map(part => partLabel(part.key, isValued(part) ? part.trace : undefined, part.base, step));
  const isAlone = ({ key }: { key: PartKey }) => key.color !== null;
  const compared = labels(
    part => isAlone(part) || Number.isFinite((part.trace?.latest ?? Number.NaN) - part.base),
  );
  const room = width - Math.min(width * TITLE_SHARE, title.length * LETTER_WIDTH) - MENU_WIDTH;
  const wide = compared.reduce((sum, { textContent }) => sum + PART_WIDTH + valueWidth(textContent ?? ""), 0);
  return wide > room ? labels(isAlone) : compared;
}

function partLabel(
  { name, dash, color }: PartKey,
  trace: Trace | undefined,
  base: number,
  step: number,
): HTMLElement {
  const label = h("span", { class: "tb-value tb-part", title: name });
  label.append(swatch(trace?.style.color ?? "currentColor", dash, 20), name);
  if (!trace) return label;
  label.append(h("span", {}, formatOnAxis(trace.latest, step), ...deltaOf(trace, base, step)));
  if (color === null) label.title = trace.style.label;
  label.style.color = trace.style.ink;
  return label;
}

/** Return the difference of a value to the baseline's; nothing without one. */
function deltaOf({ latest }: Trace, base: number, step: number): HTMLElement[] {
  const delta = latest - base;
  if (!Number.isFinite(delta)) return [];
  const title = "Difference to the baseline";
  return [h("span", { class: "tb-delta", title }, ` ${delta < 0 ? "" : "+"}${formatOnAxis(delta, step)}`)];
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

function valueLabel(trace: Trace, { named, step, base, isBase }: LabelLook): HTMLElement {
  const { style, latest } = trace;
  const line = swatch(style.color, style.dash);
  const name = named ? [line, h("span", { class: "tb-value-name" }, style.label)] : [];
  const label = isBase ? `${style.label}, the baseline` : style.label;
  const span = h(
    "span",
    { class: "tb-value", title: label },
    ...name,
    formatOnAxis(latest, step),
    ...(isBase ? [] : deltaOf(trace, base, step)),
  );
  span.style.color = style.ink;
  return span;
}

function moreLabel(text: string, title: string): HTMLElement {
  return h("span", { class: "tb-value tb-minor", title }, text);
}
