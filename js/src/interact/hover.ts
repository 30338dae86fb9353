import { bisector } from "d3-array";
import type { Chart } from "../charts/chart.ts";
import type { XAxis } from "../frames/view-state.ts";
import { descending, type Trace } from "../plot/plot.ts";
import type { PlotRow } from "../plot/plot-rows.ts";
import { h, swatch } from "../ui/dom.ts";
import { formatClock, formatCount, formatValue } from "../ui/format.ts";

const TOOLTIP_LINES = 14;
const POINTER_DISTANCE = 14; // px

interface Hit {
  trace: Trace;
  row: PlotRow;
}

/** A crosshair in all charts and one tooltip. */
export class Hover {
  #charts: () => Iterable<Chart>;
  #cellOf: (run: string, time: number) => string;
  #root: HTMLElement;
  #tooltip = h("div", { class: "tb-tooltip", role: "tooltip", hidden: "" });
  #signal: AbortSignal;

  /** `cellOf` returns the label of the cell execution that logged a point, if known. */
  constructor(
    root: HTMLElement,
    charts: () => Iterable<Chart>,
    cellOf: (run: string, time: number) => string,
    signal: AbortSignal,
  ) {
    [this.#root, this.#charts, this.#cellOf, this.#signal] = [root, charts, cellOf, signal];
    signal.addEventListener("abort", () => this.#tooltip.remove());
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
    for (const chart of this.#charts()) chart.showCrosshair(null);
  }

  #show(chart: Chart, event: PointerEvent) {
    const { plot, axes } = chart;
    if (event.buttons || !plot?.rows.length || (plot.kind !== "bar" && !axes?.x.includes(event.clientX))) {
      return this.hide();
    }
    const pointer = axes ? axes.x.invert(axes.x.span(event.clientX, event.clientX)[0]) : null;
    const hits = pointer === null ? firstRows(plot.traces) : hitsAt(plot.traces, pointer);
    if (!hits.length) return this.hide();
    const x = pointer === null ? null : nearestOf(hits, pointer).row.x;
    for (const other of this.#charts()) other.showCrosshair(...crosshairIn(other, chart, x));
    this.#fill(chart, hits, x);
    this.#place(event, chart);
  }

  #fill({ metric, scene }: Chart, hits: Hit[], x: number | null) {
    const smoothing = x !== null && scene?.settings.smoothing.amount;
    const byValue = [...hits].sort((a, b) => descending(a.row.value, b.row.value));
    const cells = byValue.map(({ trace: { style }, row }) => this.#cellOf(style.run.id, row.time));
    const same = cells.every(cell => cell === cells[0]);
    const from = (cell: string) => (cell ? [h("span", { class: "tb-tip-cell" }, cell)] : []);
    const lines = byValue.slice(0, TOOLTIP_LINES).map(({ trace: { style }, row }, i) => {
      const value = h("span", { class: "tb-tip-value" }, formatValue(row.value));
      const smooth = smoothing ? [h("span", { class: "tb-tip-smooth" }, formatValue(row.smooth))] : [];
      return h(
        "div",
        { class: "tb-tip-line" },
        swatch(style.color, style.dash),
        h("span", { class: "tb-tip-name" }, style.label),
        ...(same ? [] : from(cells[i])),
        ...smooth,
        value,
      );
    });
    const rest = byValue.length - lines.length;
    const head = x === null ? metric : describe(nearestOf(hits, x).row, scene?.axes.x);
    const title = h("div", { class: "tb-tip-head" }, head, ...(same ? from(cells[0]) : []));
    this.#tooltip.replaceChildren(
      title,
      ...lines,
      ...(rest > 0 ? [h("div", { class: "tb-tip-head" }, `${rest} more`)] : []),
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

function describe({ step, time, x }: PlotRow, axis: XAxis = "step"): string {
  const place = ["step", "relative", "time"].includes(axis) ? "" : `${axis} ${formatValue(x)} · `;
  return `${place}step ${formatCount(step)} · ${formatClock(time)}`;
}

/** Return the crosshair of another chart: the same x, if both have the same x axis. */
function crosshairIn(other: Chart, { scene }: Chart, x: number | null): [x: number | null, rows: PlotRow[]] {
  if (x === null || !other.visible || other.scene?.axes.x !== scene?.axes.x) return [null, []];
  const rows = hitsNear(other.plot?.traces ?? [], x).map(({ row }) => row);
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

function firstRows(traces: readonly Trace[]): Hit[] {
  return traces.flatMap(trace => (trace.rows.length ? [{ trace, row: trace.rows[0] }] : []));
}

function nearestOf(hits: readonly Hit[], x: number): Hit {
  return hits.reduce((a, b) => (Math.abs(b.row.x - x) < Math.abs(a.row.x - x) ? b : a));
}
