import type { Chart } from "./chart.ts";
import { h } from "./dom.ts";
import type { Range } from "./plot.ts";

const SMALLEST_DRAG = 6; // px; less is a click

/** Drag over a chart to zoom into a range of x; double-click to see everything again. */
export function zoomByDrag(chart: Chart, onZoom: (range: Range | null) => void, signal: AbortSignal) {
  const plot = chart.plotElement;
  const brush = h("div", { class: "tb-brush", hidden: "" });
  plot.append(brush);
  let start: number | null = null;

  const show = (to: number) => {
    const box = plot.getBoundingClientRect();
    const [left, right] = [Math.min(start as number, to), Math.max(start as number, to)];
    brush.style.transform = `translateX(${left - box.left}px)`;
    brush.style.width = `${right - left}px`;
    brush.hidden = right - left < SMALLEST_DRAG;
  };
  const end = () => {
    start = null;
    brush.hidden = true;
  };
  const on = (type: string, listener: (event: PointerEvent) => void) =>
    plot.addEventListener(type, listener as EventListener, { signal });

  on("pointerdown", event => {
    if (event.button !== 0 || event.pointerType === "touch" || chart.xAt(event.clientX) === null) return;
    start = event.clientX;
    plot.setPointerCapture(event.pointerId);
  });
  on("pointermove", event => {
    if (start !== null) show(event.clientX);
  });
  on("pointerup", event => {
    const ends = start === null ? [] : [start, event.clientX].map(at => chart.xAt(at, true));
    const wide = start !== null && Math.abs(event.clientX - start) >= SMALLEST_DRAG;
    end();
    const [a, b] = ends;
    if (wide && a !== null && b !== null) onZoom([Math.min(a, b), Math.max(a, b)]);
  });
  on("pointercancel", end);
  on("dblclick", () => onZoom(null));
}
