import type { Chart } from "./chart.ts";
import { h } from "./dom.ts";

/** Shows one chart as large as the window, in a dialog, with everything that works in its place. */
export class FullScreen {
  readonly element = h("dialog", { class: "tb-large", "aria-label": "Chart" });
  #chart: Chart | null = null;
  #back: HTMLElement | null = null;

  constructor(signal: AbortSignal) {
    this.element.addEventListener("close", () => this.#putBack(), { signal });
    // The dialog's own edge, or what is behind it
    this.element.addEventListener("click", event => event.target === this.element && this.close(), {
      signal,
    });
    signal.addEventListener("abort", () => this.close());
  }

  toggle(chart: Chart) {
    const again = this.#chart === chart;
    this.close();
    if (!again) this.#show(chart);
  }

  close() {
    if (this.element.open) this.element.close();
    this.#putBack();
  }

  #show(chart: Chart) {
    this.#chart = chart;
    this.#back = chart.head.querySelector("button");
    const { height } = chart.element.getBoundingClientRect();
    chart.element.style.minHeight = `${height}px`; // its place stays
    const close = h("button", { type: "button", class: "tb-close", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.close(), { once: true });
    this.element.setAttribute("aria-label", chart.metric);
    this.element.replaceChildren(chart.body, close);
    this.element.showModal();
  }

  #putBack() {
    if (!this.#chart) return;
    this.#chart.element.append(this.#chart.body);
    this.#chart.element.style.minHeight = "";
    this.#chart = null;
    this.#back?.focus();
    this.element.replaceChildren();
  }
}
