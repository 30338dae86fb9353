import type { Chart } from "./chart.ts";
import { DrawQueue } from "./draw-queue.ts";

/** What stands on a stage: charts of metrics, and users' own. */
type ScheduledChart = Pick<Chart, "plotElement" | "visible" | "stale" | "draw" | "destroy">;

const VIEWPORT_MARGIN = "200px"; // drawn before they are scrolled into view

/** Knows which charts are in view and of what size, and has those drawn that are behind. */
export class DrawScheduler {
  #charts = new Map<Element, ScheduledChart>();
  #queue: DrawQueue;
  #seen = new IntersectionObserver(entries => this.#onSeen(entries), { rootMargin: VIEWPORT_MARGIN });
  #sized = new ResizeObserver(entries => this.#onSized(entries));

  #onShown: (chart: ScheduledChart) => void;

  constructor(onShown: (chart: ScheduledChart) => void, signal: AbortSignal) {
    this.#onShown = onShown;
    this.#queue = new DrawQueue(signal);
    signal.addEventListener("abort", () => {
      this.#seen.disconnect();
      this.#sized.disconnect();
      for (const chart of this.#charts.values()) chart.destroy();
    });
  }

  add(chart: ScheduledChart) {
    this.#charts.set(chart.plotElement, chart);
    this.#seen.observe(chart.plotElement);
    this.#sized.observe(chart.plotElement);
  }

  request(chart: ScheduledChart) {
    if (chart.visible && chart.stale) this.#queue.add(chart);
  }

  #onSeen(entries: readonly IntersectionObserverEntry[]) {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.get(target) as ScheduledChart;
      chart.visible = isIntersecting;
      if (isIntersecting) {
        this.request(chart);
        this.#onShown(chart);
      } else this.#queue.delete(chart);
    }
  }

  #onSized(entries: readonly ResizeObserverEntry[]) {
    for (const { target } of entries) {
      const chart = this.#charts.get(target) as ScheduledChart;
      this.request(chart);
      this.#onShown(chart);
    }
  }
}
