import type { Chart } from "./chart.ts";
import { DrawQueue } from "./draw-queue.ts";

/** What stands on a stage: charts of metrics, and users' own. */
type Staged = Pick<Chart, "plotElement" | "visible" | "stale" | "draw" | "destroy">;

const NEAR = "200px"; // drawn before they are scrolled into view

/** Knows which charts are in view and of what size, and has those drawn that are behind. */
export class Stage {
  #charts = new Map<Element, Staged>();
  #queue: DrawQueue;
  #seen = new IntersectionObserver(entries => this.#onSeen(entries), { rootMargin: NEAR });
  #sized = new ResizeObserver(entries => this.#onSized(entries));

  #onShown: (chart: Staged) => void;

  constructor(onShown: (chart: Staged) => void, signal: AbortSignal) {
    this.#onShown = onShown;
    this.#queue = new DrawQueue(signal);
    signal.addEventListener("abort", () => {
      this.#seen.disconnect();
      this.#sized.disconnect();
      for (const chart of this.#charts.values()) chart.destroy();
    });
  }

  add(chart: Staged) {
    this.#charts.set(chart.plotElement, chart);
    this.#seen.observe(chart.plotElement);
    this.#sized.observe(chart.plotElement);
  }

  request(chart: Staged) {
    if (chart.visible && chart.stale) this.#queue.add(chart);
  }

  #onSeen(entries: readonly IntersectionObserverEntry[]) {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.get(target) as Staged;
      chart.visible = isIntersecting;
      if (isIntersecting) {
        this.request(chart);
        this.#onShown(chart);
      } else this.#queue.delete(chart);
    }
  }

  #onSized(entries: readonly ResizeObserverEntry[]) {
    for (const { target } of entries) {
      const chart = this.#charts.get(target) as Staged;
      this.request(chart);
      this.#onShown(chart);
    }
  }
}
