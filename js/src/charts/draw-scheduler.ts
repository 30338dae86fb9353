import type { Chart } from "./chart.ts";
import { DrawQueue } from "./draw-queue.ts";

/** A scheduled chart: a metric's or a user's. */
type ScheduledChart = Pick<Chart, "plotElement" | "visible" | "stale" | "draw" | "destroy">;

const VIEWPORT_MARGIN = "200px"; // charts are drawn before they scroll into view

/** Tracks which charts are visible, and their size; queues those that need to be redrawn. */
export class DrawScheduler {
  #charts = new Map<Element, ScheduledChart>();
  #queue: DrawQueue;
  #visibility = new IntersectionObserver(entries => this.#onVisibility(entries), {
    rootMargin: VIEWPORT_MARGIN,
  });
  #sizes = new ResizeObserver(entries => this.#onSize(entries));

  #onShown: (chart: ScheduledChart) => void;

  constructor(onShown: (chart: ScheduledChart) => void, signal: AbortSignal) {
    this.#onShown = onShown;
    this.#queue = new DrawQueue(signal);
    signal.addEventListener("abort", () => {
      this.#visibility.disconnect();
      this.#sizes.disconnect();
      for (const chart of this.#charts.values()) chart.destroy();
    });
  }

  add(chart: ScheduledChart) {
    this.#charts.set(chart.plotElement, chart);
    this.#visibility.observe(chart.plotElement);
    this.#sizes.observe(chart.plotElement);
  }

  request(chart: ScheduledChart) {
    if (chart.visible && chart.stale) this.#queue.add(chart);
  }

  /**
   * Draw every chart that has a place in the page, also those out of view: the page is about to be printed. No timer or
   * animation frame comes in between, because a browser prints when the listeners of `beforeprint` are done.
   */
  drawAll() {
    for (const chart of this.#charts.values()) {
      if (!chart.stale) continue;
      const { visible } = chart;
      chart.visible = true;
      void chart.draw();
      chart.visible = visible;
    }
  }

  #onVisibility(entries: readonly IntersectionObserverEntry[]) {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.get(target) as ScheduledChart;
      chart.visible = isIntersecting;
      if (isIntersecting) {
        this.request(chart);
        this.#onShown(chart);
      } else this.#queue.delete(chart);
    }
  }

  #onSize(entries: readonly ResizeObserverEntry[]) {
    for (const { target } of entries) {
      const chart = this.#charts.get(target) as ScheduledChart;
      this.request(chart);
      this.#onShown(chart);
    }
  }
}
