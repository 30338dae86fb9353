import { bisector } from "d3-array";
import type { Chart } from "../charts/chart.ts";
import type { XAxis } from "../frames/view-state.ts";
import { isSystem } from "../metrics.ts";
import { nearestTrace } from "../plot/nearest.ts";
import { descending, type Trace } from "../plot/plot.ts";
import type { PlotRow } from "../plot/plot-rows.ts";
import { setName } from "../ui/cut-name.ts";
import { h, swatch } from "../ui/dom.ts";
import { formatChange, formatClock, formatCount, formatValue } from "../ui/format.ts";

const TOOLTIP_LINES = 11; // around the nearest line
const POINTER_DISTANCE = 14; // px
const LISTED = ":is(.tb-legend > .tb-run, .tb-runs-rows > .tb-runs-row)";

interface Hit {
  trace: Trace;
  row: PlotRow;
}

/** A crosshair in all charts, one tooltip, and the run whose line is nearest to the pointer drawn strong everywhere. */
export class Hover {
  #charts: () => Iterable<Chart>;
  #cellOf: (run: string, time: number) => string;
  #root: HTMLElement;
  #tooltip = h("div", { class: "tb-tooltip", role: "tooltip", hidden: "" });
  #signal: AbortSignal;
  /** Called with the step under the pointer; null when there is none. */
  onStep: (step: number | null) => void = () => {};
  #lit: string | null = null; // the id of the run that is drawn strong

  /** `cellOf` returns the label of the cell execution that logged a point, if known. */
  constructor(
    root: HTMLElement,
    charts: () => Iterable<Chart>,
    cellOf: (run: string, time: number) => string,
    signal: AbortSignal,
  ) {
    [this.#root, this.#charts, this.#cellOf, this.#signal] = [root, charts, cellOf, signal];
    signal.addEventListener("abort", () => this.#tooltip.remove());
    root.addEventListener("pointerover", event => this.#pointAt(event.target as Element), { signal });
    root.addEventListener("pointerleave", () => this.light(null), { signal });
    window.addEventListener("scroll", () => this.hide(), { signal, capture: true, passive: true });
  }

  watch(chart: Chart) {
    const plot = chart.plotElement;
    const at = (event: PointerEvent) => this.#show(chart, event);
    plot.addEventListener("pointermove", at, { signal: this.#signal });
    plot.addEventListener("pointerleave", () => this.hide(), { signal: this.#signal });
    plot.addEventListener("pointerdown", () => this.hide(), { signal: this.#signal });
  }

  hide() {
    this.#tooltip.hidden = true;
    this.mark(null);
    this.light(null);
    this.onStep(null);
  }

  /** Show the crosshair at a step in all charts; null hides it. */
  mark(step: number | null) {
    for (const chart of this.#charts()) {
      const traces = step === null || !chart.visible || isOfSystem(chart) ? [] : (chart.plot?.traces ?? []);
      const rows = traces
        .filter(({ rows }) => rows.length)
        .map(({ rows }) => rowAtStep(rows, step as number));
      chart.showCrosshair(rows[0]?.x ?? null, rows);
    }
  }

  /** Draw a run strong in all charts, in the legend and in the list of runs; null draws none so. */
  light(run: string | null) {
    if (run === this.#lit) return;
    this.#lit = run;
    for (const chart of this.#charts()) chart.highlight(run);
    for (const lit of this.#root.querySelectorAll(".tb-lit")) lit.classList.remove("tb-lit");
    if (run === null) return;
    for (const listed of this.#root.querySelectorAll(`${LISTED}[data-run="${CSS.escape(run)}"]`))
      listed.classList.add("tb-lit");
  }

  /** Light the run that the pointer is at in the legend or in the list of runs. */
  #pointAt(target: Element) {
    if (target.closest(".tb-plot")) return; // a chart lights its nearest line
    this.light(target.closest<HTMLElement>(`${LISTED}[data-run]`)?.dataset.run ?? null);
  }

  #show(chart: Chart, event: PointerEvent) {
    const { plot, axes } = chart;
    if (event.buttons || !plot?.rows.length || (plot.kind !== "bar" && !axes?.x.includes(event.clientX))) {
      return this.hide();
    }
    const pointer = axes ? axes.x.invert(axes.x.span(event.clientX, event.clientX)[0]) : null;
    const hits = pointer === null ? firstRows(plot.traces) : hitsAt(plot.traces, pointer);
    if (!hits.length) return this.hide();
    const hit = nearestOf(hits, pointer ?? 0).row;
    const x = pointer === null ? null : hit.x;
    const nearest = nearestIn(chart, event);
    const listed = neighbours(hits, nearest);
    const keys = new Set(listed.hits.map(({ trace }) => trace.style.run.key));
    for (const other of this.#charts()) other.showCrosshair(...crosshairIn(other, chart, x, keys));
    this.#fill(chart, listed, nearest, x, changesOf(hits, chart));
    this.#place(event, chart);
    this.onStep(isOfSystem(chart) ? null : hit.step);
    this.light(nearest?.style.run.id ?? null);
  }

  #fill(
    { metric, scene, plot }: Chart,
    { hits, above, below }: Neighbours,
    nearest: Trace | null,
    x: number | null,
    changes: ReadonlyMap<Trace, string>,
  ) {
    const smoothing = x !== null && plot?.smoothing;
    const cells = hits.map(({ trace: { style }, row }) => this.#cellOf(style.run.id, row.time));
    const same = cells.every(cell => cell === cells[0]);
    const from = (cell: string) => (cell ? [h("span", { class: "tb-tip-cell" }, cell)] : []);
    const lines = hits.map(({ trace, row }, i) => {
      const { style } = trace;
      const change = changes.size ? [h("span", { class: "tb-delta" }, changes.get(trace) ?? "")] : [];
      const value = h("span", { class: "tb-tip-value" }, formatValue(row.value));
      const smooth = smoothing ? [h("span", { class: "tb-tip-smooth" }, formatValue(row.smooth))] : [];
      const name = h("span", { class: "tb-tip-name" });
      setName(name, style.label);
      return h(
        "div",
        { class: style === nearest?.style && hits.length > 1 ? "tb-tip-line tb-tip-nearest" : "tb-tip-line" },
        swatch(style.color, style.dash),
        name,
        ...(same ? [] : from(cells[i])),
        ...smooth,
        value,
        ...change,
      );
    });
    const head = x === null ? metric : describe(nearestOf(hits, x).row, scene?.axes.x);
    const named = smoothing ? [valueHeads(changes.size > 0)] : [];
    const more = (count: number, where: string) =>
      count ? [h("div", { class: "tb-tip-head" }, `${formatCount(count)} ${where}`)] : [];
    this.#tooltip.replaceChildren(
      h("div", { class: "tb-tip-head" }, head, ...(same ? from(cells[0]) : [])),
      ...named,
      ...more(above, "above"),
      ...lines,
      ...more(below, nearest ? "below" : "more"),
    );
  }

  /**
   * Place the tooltip on the body, where no cell clips it, or in the open dialog, with the board's theme and font.
   */
  #place({ clientX, clientY }: PointerEvent, chart: Chart) {
    const tooltip = this.#tooltip;
    const home = chart.body.closest("dialog") ?? document.body;
    tooltip.dataset.theme = this.#root.dataset.theme;
    tooltip.style.fontFamily = getComputedStyle(this.#root).fontFamily;
    if (tooltip.parentElement !== home) home.append(tooltip);
    tooltip.hidden = false;
    const { width, height } = tooltip.getBoundingClientRect();
    const flipX = clientX + POINTER_DISTANCE + width > innerWidth - 4;
    const left = flipX ? Math.max(4, clientX - POINTER_DISTANCE - width) : clientX + POINTER_DISTANCE;
    const top = Math.max(4, Math.min(clientY + POINTER_DISTANCE, innerHeight - height - 4));
    tooltip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

/** Return the heads of the two columns of values. */
function valueHeads(hasChanges: boolean): HTMLElement {
  return h(
    "div",
    { class: "tb-tip-line tb-tip-heads" },
    h("span", { class: "tb-tip-name" }),
    h("span", { class: "tb-tip-smooth" }, "smoothed"),
    h("span", { class: "tb-tip-value" }, "as logged"),
    ...(hasChanges ? [h("span", { class: "tb-delta" })] : []),
  );
}

/** Whether a chart's steps are not those of training. */
function isOfSystem({ scene }: Chart): boolean {
  return Boolean(scene?.parts.some(({ metric }) => isSystem(metric)));
}

function describe({ step, time, x }: PlotRow, axis: XAxis = "step"): string {
  const place = ["step", "relative", "time"].includes(axis) ? "" : `${axis} ${formatValue(x)} · `;
  return `${place}step ${formatCount(step)} · ${formatClock(time)}`;
}

/** Return the trace of a chart whose line is nearest to the pointer. */
function nearestIn(chart: Chart, { clientX, clientY }: PointerEvent): Trace | null {
  const { plot, axes } = chart;
  if (!plot || !axes) return null;
  const pixels = {
    x: (value: number) => axes.x.at(value),
    y: (value: number) => axes.y.at(value),
    invertX: (pixel: number) => axes.x.invert(pixel),
    drawn: chart.drawnValue,
  };
  return nearestTrace(plot.traces, clientX - axes.x.start, clientY - axes.y.start, pixels)?.trace ?? null;
}

/** Return the difference of each hit to the baseline's, of the same metric; empty where the baseline has no value. */
export function changesOf(hits: readonly Hit[], { scene }: Pick<Chart, "scene">): Map<Trace, string> {
  const { parts = [], options } = scene ?? {};
  const partOf = ({ trace }: Hit) => trace.style.run.key % parts.length;
  const isBase = ({ trace }: Hit) => trace.style.run.id === options?.baseline;
  const bases = new Map(hits.filter(isBase).map(hit => [partOf(hit), hit.row.value]));
  const changes = new Map<Trace, string>();
  for (const hit of hits) {
    const change = hit.row.value - (bases.get(partOf(hit)) ?? Number.NaN);
    if (isBase(hit)) changes.set(hit.trace, "baseline");
    else if (Number.isFinite(change)) changes.set(hit.trace, formatChange(change));
  }
  return changes;
}

interface Neighbours {
  hits: readonly Hit[];
  above: number;
  below: number;
}

/** Sort by value, and of many keep those around the nearest line. */
export function neighbours(hits: readonly Hit[], nearest: Trace | null): Neighbours {
  const byValue = [...hits].sort((a, b) => descending(a.row.value, b.row.value));
  const at = Math.max(
    0,
    byValue.findIndex(({ trace }) => trace === nearest),
  );
  const last = Math.max(0, byValue.length - TOOLTIP_LINES);
  const above = Math.min(last, Math.max(0, at - Math.floor(TOOLTIP_LINES / 2)));
  const kept = byValue.slice(above, above + TOOLTIP_LINES);
  return { hits: kept, above, below: byValue.length - above - kept.length };
}

/** Return the crosshair of another chart: the same x, if both have the same x axis, with marks on the listed runs. */
function crosshairIn(
  other: Chart,
  { scene }: Chart,
  x: number | null,
  keys: ReadonlySet<number>,
): [x: number | null, rows: PlotRow[]] {
  if (x === null || !other.visible || other.scene?.axes.x !== scene?.axes.x) return [null, []];
  const listed = (other.plot?.traces ?? []).filter(({ style }) => keys.has(style.run.key));
  const rows = hitsNear(listed, x).map(({ row }) => row);
  return rows.length ? [x, rows] : [null, []];
}

/** Return the rows at the point nearest to x, of all runs whose range of x includes it. */
export function hitsAt(traces: readonly Trace[], x: number): Hit[] {
  const nearest = traces
    .filter(({ rows }) => rows.length)
    .map(trace => ({ trace, row: rowNear(trace.rows, x) }));
  if (!nearest.length) return [];
  return hitsNear(traces, nearestOf(nearest, x).row.x);
}

/** Return each run's row nearest to x, if its range of x includes x. */
function hitsNear(traces: readonly Trace[], x: number): Hit[] {
  return traces
    .filter(({ rows }) => rows.length && rows[0].x <= x && x <= rows[rows.length - 1].x)
    .map(trace => ({ trace, row: rowNear(trace.rows, x) }));
}

const byX = bisector(({ x }: PlotRow) => x);

function rowNear(rows: readonly PlotRow[], x: number): PlotRow {
  return rows[byX.center(rows, x)];
}

/** Return the last row that is not after a step, or else the first. */
function rowAtStep(rows: readonly PlotRow[], step: number): PlotRow {
  return rows.findLast(row => row.step <= step) ?? rows[0];
}

function firstRows(traces: readonly Trace[]): Hit[] {
  return traces.flatMap(trace => (trace.rows.length ? [{ trace, row: trace.rows[0] }] : []));
}

function nearestOf(hits: readonly Hit[], x: number): Hit {
  return hits.reduce((a, b) => (Math.abs(b.row.x - x) < Math.abs(a.row.x - x) ? b : a));
}
