import type { View } from "vega";
import { sameItems } from "../frames/columns.ts";
import { h } from "../ui/dom.ts";

/** The container of a Vega view, which is kept while its inputs stay the same. */
export class VegaBox<Made extends { view: View }> {
  readonly element = h("div", { class: "tb-canvas" });
  /** The size last given to the view, as a key chosen by the owner. */
  size = "";
  #made: Made | null = null;
  #of: readonly unknown[] = [];

  get view(): View | null {
    return this.#made?.view ?? null;
  }

  /** Return the view made from `of`; make one, without a size, if the inputs changed. */
  made(of: readonly unknown[], make: (container: HTMLElement) => Made): Made {
    if (this.#made && sameItems(of, this.#of)) return this.#made;
    this.destroy();
    this.element.replaceChildren();
    this.#made = make(this.element);
    this.#of = of;
    return this.#made;
  }

  destroy() {
    this.#made?.view.finalize();
    this.#made = null;
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
