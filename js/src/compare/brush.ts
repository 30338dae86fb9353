/** Ranges on the axes of the parallel coordinates, and the colours of the lines by the result, which is the last axis. */

import { rampColor } from "../plot/palette.ts";
import { h } from "../ui/dom.ts";
import type { Theme } from "../ui/theme.ts";
import type { CompareChart } from "./compare-chart.ts";
import { type CompareRow, UNDRAWN_COLOR } from "./compare-rows.ts";

/** Ends of a range by axis, as shares of the axis. */
export type Brushes = ReadonlyMap<string, readonly [number, number]>;

/** Colour the lines by their place on the last axis; those outside of a range are grey. Returns how many are inside. */
export function brushedRows(
  rows: readonly CompareRow[],
  brushes: Brushes,
  theme: Theme,
): { rows: CompareRow[]; inside: number } {
  const places = new Map<string, Map<string, number>>();
  for (const { mark, run, axis, at } of rows) {
    if (mark !== "line" || axis === undefined || at === undefined) continue;
    places.set(run, (places.get(run) ?? new Map<string, number>()).set(axis, at));
  }
  const isInside = (own: ReadonlyMap<string, number>) =>
    [...brushes].every(([axis, [from, to]]) => {
      const at = own.get(axis);
      return at === undefined || (at >= from && at <= to);
    });
  const looks = new Map(
    [...places].map(([run, own]) => {
      const result = [...own.values()].at(-1) as number;
      const drawn = isInside(own);
      return [run, { drawn, result, color: drawn ? rampColor(result, theme) : UNDRAWN_COLOR }];
    }),
  );
  const order = [...looks].sort(([, a], [, b]) => Number(a.drawn) - Number(b.drawn) || a.result - b.result);
  const orders = new Map(order.map(([run], i) => [run, i]));
  const placeOf = ({ mark, run }: CompareRow) => (mark === "line" ? (orders.get(run) as number) : -1);
  const colored = rows.map(row => {
    const look = row.mark === "line" ? looks.get(row.run) : undefined;
    return look ? { ...row, color: look.color, drawn: look.drawn } : row;
  });
  const sorted = colored.sort((a, b) => placeOf(a) - placeOf(b) || (a.index ?? 0) - (b.index ?? 0));
  return { rows: sorted, inside: order.filter(([, { drawn }]) => drawn).length };
}

const REACH = 16; // px beside an axis
const LEAST_DRAG = 4; // px; less is a click, which removes the range

/** Drags along the axes of a chart of parallel coordinates. */
export class ParallelBrush {
  readonly brushes = new Map<string, readonly [number, number]>();
  #chart: CompareChart;
  #axes: readonly string[] = [];
  #marks = new Map<string, HTMLElement>();
  #drag: { axis: string; from: number; pixel: number } | null = null;

  constructor(chart: CompareChart, onChange: () => void, signal: AbortSignal) {
    this.#chart = chart;
    const { element } = chart;
    element.classList.add("tb-brushable");
    element.addEventListener(
      "pointerdown",
      event => {
        const [axis, at] = this.#placeOf(event);
        if (axis === null) return;
        event.preventDefault();
        element.setPointerCapture(event.pointerId);
        this.#drag = { axis, from: at, pixel: event.clientY };
      },
      { signal },
    );
    element.addEventListener(
      "pointermove",
      event => {
        element.classList.toggle("tb-at-axis", this.#placeOf(event)[0] !== null);
        const drag = this.#drag;
        if (!drag || Math.abs(event.clientY - drag.pixel) < LEAST_DRAG) return;
        const [, at] = this.#placeOf(event);
        this.brushes.set(drag.axis, [Math.min(drag.from, at), Math.max(drag.from, at)]);
        onChange();
      },
      { signal },
    );
    element.addEventListener(
      "pointerup",
      event => {
        const drag = this.#drag;
        this.#drag = null;
        if (!drag || Math.abs(event.clientY - drag.pixel) >= LEAST_DRAG) return;
        if (this.brushes.delete(drag.axis)) onChange();
      },
      { signal },
    );
    chart.onDrawn = () => this.#show();
  }

  /** Set the axes; ranges of axes that are gone are forgotten. */
  update(axes: readonly string[]) {
    this.#axes = axes;
    for (const axis of this.brushes.keys()) if (!axes.includes(axis)) this.brushes.delete(axis);
  }

  clear() {
    this.brushes.clear();
  }

  #placeOf({ clientX, clientY }: PointerEvent): [axis: string | null, at: number] {
    const places = this.#chart.places();
    if (!places) return [null, 0];
    const at = Math.min(1, Math.max(0, places.at(clientY)));
    const axis = this.#axes.find(each => Math.abs(places.x(each) - clientX) <= REACH);
    return [axis ?? null, at];
  }

  #show() {
    const places = this.#chart.places();
    const { left, top } = this.#chart.element.getBoundingClientRect();
    for (const [axis, mark] of this.#marks) {
      if (this.brushes.has(axis)) continue;
      mark.remove();
      this.#marks.delete(axis);
    }
    for (const [axis, [from, to]] of places ? this.brushes : []) {
      const mark = this.#marks.get(axis) ?? h("div", { class: "tb-brush" });
      this.#marks.set(axis, mark);
      if (!mark.isConnected) this.#chart.element.append(mark);
      const [high, low] = [places?.y(to) as number, places?.y(from) as number];
      mark.style.transform = `translate(${(places?.x(axis) as number) - left - 6}px, ${high - top}px)`;
      mark.style.height = `${Math.max(2, low - high)}px`;
    }
  }
}
