import { resizeView, VegaBox } from "../charts/vega-box.ts";
import { createVegaView, type VegaView } from "../charts/vega-view.ts";
import type { Spec } from "../plot/specs.ts";
import { h, nextFrame, onResize } from "../ui/dom.ts";
import { type TextLook, type Theme, textLookOf } from "../ui/theme.ts";

/** A chart of the compare tab, drawn when it is visible and its input changed. */
export class CompareChart {
  readonly element = h("div", { class: "tb-compare-plot", role: "img" });
  #box = new VegaBox<VegaView>();
  #wanted: { rows: readonly object[]; signals: Record<string, unknown>; theme: Theme } | null = null;
  #drawn = "";
  #textLook: TextLook | null = null;
  /** Called after each drawing, also where only what is drawn over the chart may have changed. */
  onDrawn: () => void = () => {};
  #drawSoon: () => void;

  constructor(
    private readonly spec: Spec,
    signal: AbortSignal,
  ) {
    this.element.append(this.#box.element);
    this.#drawSoon = nextFrame(() => void this.#draw(), signal);
    onResize(this.element, this.#drawSoon, signal);
    signal.addEventListener("abort", () => {
      this.#box.destroy();
      this.#wanted = null;
    });
  }

  update(rows: readonly object[], signals: Record<string, unknown>, theme: Theme) {
    this.#wanted = { rows, signals, theme };
    this.#drawSoon();
  }

  /** Return the row drawn nearest to the pointer, within a finger's reach. */
  nearest<Row extends { x?: unknown; y?: unknown }>(rows: readonly Row[], event: PointerEvent): Row | null {
    const view = this.#box.view;
    if (!view) return null;
    const { left, top } = this.element.getBoundingClientRect();
    const [across, up] = [view.scale("x"), view.scale("y")];
    const [x, y] = [event.clientX - left - view.origin()[0], event.clientY - top - view.origin()[1]];
    const far = (row: Row) => Math.hypot(across(row.x) - x, up(row.y) - y);
    const best = rows.reduce<Row | null>((a, b) => (a && far(a) <= far(b) ? a : b), null);
    return best && far(best) < 24 ? best : null;
  }

  /** Return where axes and shares of them are in the window; null before the first drawing. */
  places() {
    const view = this.#box.view;
    if (!view) return null;
    const { left, top } = this.element.getBoundingClientRect();
    const [across, up, [x, y]] = [view.scale("x"), view.scale("y"), view.origin()];
    return {
      x: (axis: string): number => left + x + across(axis),
      y: (share: number): number => top + y + up(share),
      at: (clientY: number): number => up.invert(clientY - top - y),
    };
  }

  async #draw() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!this.#wanted || !width || !height) return;
    const { rows, signals, theme } = this.#wanted;
    this.#textLook = textLookOf(this.element, this.#textLook);
    const key = JSON.stringify([width, height, theme, this.#textLook, devicePixelRatio, signals, rows]);
    if (key === this.#drawn) return this.onDrawn();
    this.#drawn = key;
    const { view, draw } = this.#viewFor(theme, this.#textLook);
    resizeView(view, width, height);
    try {
      await draw(rows, signals);
      this.element.dataset.drawn = String(rows.length);
      this.onDrawn();
    } catch (error) {
      if (this.#wanted) console.error("Trackbook:", error);
    }
  }

  #viewFor(theme: Theme, textLook: TextLook): VegaView {
    return this.#box.contentFor([theme, textLook], box => createVegaView(this.spec, theme, textLook, box));
  }
}
