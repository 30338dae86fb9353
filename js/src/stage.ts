import type { Chart } from "./chart.ts";
import { DrawQueue } from "./queue.ts";

const NEAR = "200px"; // drawn before they are scrolled into view

/** Knows which charts are in view and of what size, and has those drawn that are behind. */
export class Stage {
  #charts = new Map<Element, Chart>();
  #queue: DrawQueue;
  #seen = new IntersectionObserver(entries => this.#onSeen(entries), { rootMargin: NEAR });
  #sized = new ResizeObserver(entries => this.#onSized(entries));

  #onShown: (chart: Chart) => void;

  constructor(onShown: (chart: Chart) => void, signal: AbortSignal) {
    this.#onShown = onShown;
    this.#queue = new DrawQueue(signal);
    signal.addEventListener("abort", () => {
      this.#seen.disconnect();
      this.#sized.disconnect();
      for (const chart of this.#charts.values()) chart.destroy();
    });
  }

  add(chart: Chart) {
    this.#charts.set(chart.plotElement, chart);
    this.#seen.observe(chart.plotElement);
    this.#sized.observe(chart.plotElement);
  }

  request(chart: Chart) {
    if (chart.visible && chart.stale) this.#queue.add(chart);
  }

  #onSeen(entries: readonly IntersectionObserverEntry[]) {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.get(target) as Chart;
      chart.visible = isIntersecting;
      if (isIntersecting) {
        this.request(chart);
        this.#onShown(chart);
      } else this.#queue.delete(chart);
    }
  }

  #onSized(entries: readonly ResizeObserverEntry[]) {
    for (const { target } of entries) {
      const chart = this.#charts.get(target) as Chart;
      this.request(chart);
      this.#onShown(chart);
    }
  }
}
