import type { Chart } from "../charts/chart.ts";
import type { PixelAxis } from "../charts/plot-area.ts";
import type { Zoom } from "../plot/plot.ts";
import type { Range } from "../plot/series-window.ts";
import { h } from "../ui/dom.ts";

const SMALLEST_DRAG = 8; // px; less is a click
const BOX_FROM = 20; // px across the main direction from which a drag is always a box
const WHEEL_SPEED = 0.002; // change of the range's logarithm per pixel of wheel
const LINE_HEIGHT = 16; // px per line, for browsers that report lines
const FINEST_SPAN = 1e-12; // relative to the axis values; a finer range exceeds float precision

type DragShape = "x" | "y" | "box" | null;

/** Return what a drag of this size selects. */
export function dragShape(width: number, height: number): DragShape {
  const [across, down] = [Math.abs(width), Math.abs(height)];
  if (Math.max(across, down) < SMALLEST_DRAG) return null;
  if (down < Math.min(Math.max(across * 0.6, SMALLEST_DRAG), BOX_FROM)) return "x";
  if (across < Math.min(down * 0.6, BOX_FROM)) return "y";
  return "box";
}

/** Return the range between two pixels of an axis; null if it is empty or too fine. */
export function rangeBetween(axis: PixelAxis, from: number, to: number): Range | null {
  const ends = [axis.invert(Math.min(from, to)), axis.invert(Math.max(from, to))].sort((a, b) => a - b);
  const [low, high] = ends;
  const size = Math.max(Math.abs(low), Math.abs(high));
  return Number.isFinite(low) && Number.isFinite(high) && high - low > size * FINEST_SPAN
    ? [low, high]
    : null;
}

/**
 * Add the zoom gestures: drag (x, y, or box), Shift-drag and Shift-wheel to pan, Ctrl- or Cmd-wheel to zoom x
 * around the pointer, double-click to reset. `onZoom` receives the new zoom; null is everything.
 */
export function addZoomGestures(chart: Chart, onZoom: (zoom: Zoom | null) => void, signal: AbortSignal) {
  new Brush(chart, onZoom, signal);
  const wheel = (event: WheelEvent) => {
    const axes = chart.axes;
    if (!axes || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    const pixels =
      (event.deltaY || event.deltaX) * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : 1);
    const { zoom } = chart;
    if (event.shiftKey)
      return onZoom({ ...zoom, x: rangeBetween(axes.x, pixels, axes.x.length + pixels) ?? zoom.x });
    const at = event.clientX - axes.x.start;
    const factor = Math.exp(pixels * WHEEL_SPEED);
    const x = rangeBetween(axes.x, at - at * factor, at + (axes.x.length - at) * factor);
    onZoom({ ...zoom, x: x && chart.holds(x) ? null : (x ?? zoom.x) });
  };
  chart.plotElement.addEventListener("wheel", wheel, { signal, passive: false });
  chart.plotElement.addEventListener("dblclick", () => onZoom(null), { signal });
}

/** The drag gestures, with a rectangle that shows the selection. */
class Brush {
  #chart: Chart;
  #onZoom: (zoom: Zoom | null) => void;
  #frame = h("div", { class: "tb-brush", hidden: "" });
  #start: { x: number; y: number } | null = null;
  #pan: { zoom: Zoom; x: PixelAxis; y: PixelAxis } | null = null;

  constructor(chart: Chart, onZoom: (zoom: Zoom | null) => void, signal: AbortSignal) {
    [this.#chart, this.#onZoom] = [chart, onZoom];
    const plot = chart.plotElement;
    plot.append(this.#frame);
    const on = (type: string, listener: (event: PointerEvent) => void) =>
      plot.addEventListener(type, listener as EventListener, { signal });
    on("pointerdown", event => this.#begin(event));
    on("pointermove", event => this.#move(event));
    on("pointerup", event => this.#end(event));
    on("pointercancel", () => this.#forget());
  }

  #begin(event: PointerEvent) {
    const { axes, zoom, plotElement } = this.#chart;
    if (event.button !== 0 || event.pointerType === "touch" || !axes?.contains(event)) return;
    this.#start = { x: event.clientX, y: event.clientY };
    if (event.shiftKey) this.#pan = { zoom, x: axes.x.frozen(), y: axes.y.frozen() };
    plotElement.setPointerCapture(event.pointerId);
  }

  #move({ clientX, clientY }: PointerEvent) {
    if (!this.#start) return;
    const [dx, dy] = [clientX - this.#start.x, clientY - this.#start.y];
    if (this.#pan) return this.#panBy(dx, dy, this.#pan);
    const { axes } = this.#chart;
    const shape = dragShape(dx, dy);
    this.#frame.hidden = !shape || !axes;
    if (!shape || !axes) return;
    const [x, y] = [axes.x.span(this.#start.x, clientX), axes.y.span(this.#start.y, clientY)];
    const box = this.#chart.plotElement.getBoundingClientRect();
    const [left, width] = shape === "y" ? [0, axes.x.length] : [x[0], x[1] - x[0]];
    const [top, height] = shape === "x" ? [0, axes.y.length] : [y[0], y[1] - y[0]];
    const { style } = this.#frame;
    this.#frame.dataset.shape = shape;
    style.transform = `translate(${axes.x.start - box.left + left}px, ${axes.y.start - box.top + top}px)`;
    [style.width, style.height] = [`${width}px`, `${height}px`];
  }

  #panBy(dx: number, dy: number, { zoom, x, y }: { zoom: Zoom; x: PixelAxis; y: PixelAxis }) {
    const along = dx ? rangeBetween(x, -dx, x.length - dx) : zoom.x;
    this.#onZoom({ x: along ?? zoom.x, y: zoom.y && (rangeBetween(y, -dy, y.length - dy) ?? zoom.y) });
  }

  #end({ clientX, clientY }: PointerEvent) {
    const [start, pan, { axes, zoom }] = [this.#start, this.#pan, this.#chart];
    this.#forget();
    const shape = start && !pan && dragShape(clientX - start.x, clientY - start.y);
    if (!shape || !axes) return;
    const x = shape === "y" ? zoom.x : rangeBetween(axes.x, ...axes.x.span(start.x, clientX));
    const y = shape === "x" ? zoom.y : rangeBetween(axes.y, ...axes.y.span(start.y, clientY));
    this.#onZoom({ x: x ?? zoom.x, y: y ?? zoom.y });
  }

  #forget() {
    this.#frame.hidden = true;
    [this.#start, this.#pan] = [null, null];
  }
}
