import type { View } from "vega";
import { sameItems } from "../frames/columns.ts";
import { h } from "../ui/dom.ts";

/** The container of a Vega view, which is kept while its inputs stay the same. */
export class VegaBox<Content extends { view: View }> {
  readonly element = h("div", { class: "tb-canvas" });
  /** The size last given to the view, as a key chosen by the owner. */
  size = "";
  #content: Content | null = null;
  #inputs: readonly unknown[] = [];

  get view(): View | null {
    return this.#content?.view ?? null;
  }

  /** Return the content made from `inputs`; make it anew, without a size, if the inputs changed. */
  contentFor(inputs: readonly unknown[], make: (container: HTMLElement) => Content): Content {
    if (this.#content && sameItems(inputs, this.#inputs)) return this.#content;
    this.destroy();
    this.element.replaceChildren();
    this.#content = make(this.element);
    this.#inputs = inputs;
    return this.#content;
  }

  destroy() {
    this.#content?.view.finalize();
    this.#content = null;
    this.size = "";
  }
}

/** An error message in place of a chart that cannot be drawn. */
export class ErrorNote {
  readonly element = h("div", { class: "tb-error", role: "alert", hidden: "" });

  /** Show the error of a chart; null hides it. */
  show(error: unknown, chart: HTMLElement, name: string) {
    const text = error ? `This chart could not be drawn: ${(error as Error).message ?? error}` : "";
    if (this.element.textContent === text) return;
    if (error) console.error(`Trackbook: ${name}:`, error);
    this.element.textContent = text;
    this.element.hidden = !error;
    chart.classList.toggle("tb-broken", Boolean(error));
  }
}

type Forced = (name: string, value: number, options: { force: boolean }) => void;

/**
 * Set a view's size, including labels. After drawing, Vega keeps the inner size in the same signals: a new size
 * that happens to equal it would count as no change, so the update is forced.
 */
export function resizeView(view: View, width: number, height: number) {
  const set = view.signal.bind(view) as Forced;
  set("width", width, { force: true });
  set("height", height, { force: true });
  view.resize();
}
