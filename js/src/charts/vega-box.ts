import type { View } from "vega";
import { sameItems } from "../frames/columns.ts";
import { h } from "../ui/dom.ts";

/** Where a Vega view is drawn, which lives as long as what it is made of stays. */
export class VegaBox<Made extends { view: View }> {
  readonly element = h("div", { class: "tb-canvas" });
  /** The size that the view was given last, in the words of its owner. */
  size = "";
  #made: Made | null = null;
  #of: readonly unknown[] = [];

  get view(): View | null {
    return this.#made?.view ?? null;
  }

  /** The view made of these, by `make` if there is none yet. It is of no size then. */
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

/** What stands in the place of a chart that cannot be drawn: why. */
export class ErrorNote {
  readonly element = h("div", { class: "tb-error", role: "alert", hidden: "" });

  /** `error` of the chart of this name; null: it was drawn. */
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
 * Gives a view its size, labels included. What Vega keeps in the same signals after it has drawn is the size inside
 * the axes: a new size that happens to equal that would pass for no change, hence the force.
 */
export function resizeView(view: View, width: number, height: number) {
  const set = view.signal.bind(view) as Forced;
  set("width", width, { force: true });
  set("height", height, { force: true });
  view.resize();
}
