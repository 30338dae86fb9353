import { h, setChildren, setText } from "./dom.ts";
import { formatValue } from "./format.ts";
import { latestValues } from "./latest.ts";
import { type Kind, type Look, type Plot, plotOf, type Range, valueWindow } from "./plot.ts";
import type { Series } from "./series.ts";
import type { Theme } from "./theme.ts";
import { createView, drawRows, type View } from "./vega.ts";

const BAR_HEIGHT = 24; // px, of a bar with its gap
const REACH = 8; // px beyond the axis that still count as its end

/** What a chart is drawn from. A chart whose scene equals the one it drew is not drawn again. */
export interface Scene {
  series: readonly Series[];
  look: Look;
  theme: Theme;
  font: string;
  zoom: Range | null;
}

/** One metric's chart: a box in the page with a Vega view that lives as long as kind and theme stay. */
export class Chart {
  readonly element: HTMLElement & { view?: View };
  readonly plotElement = h("div", { class: "tb-plot", role: "img" });
  visible = false;
  #latest = h("div", { class: "tb-latest" });
  #canvas = h("div", { class: "tb-canvas" });
  #crosshair = h("div", { class: "tb-crosshair", hidden: "" });
  #error = h("p", { class: "tb-error", role: "alert", hidden: "" });
  #scene: Scene | null = null;
  #drawn: Scene | null = null;
  #plot: Plot | null = null;
  #view: View | null = null;
  #viewKey = "";

  constructor(
    readonly metric: string,
    title: string,
  ) {
    const name = h("h4", { class: "tb-metric", title: metric }, title);
    const head = h("header", { class: "tb-chart-head" }, name, this.#latest);
    this.plotElement.append(this.#canvas, this.#crosshair);
    this.element = h(
      "section",
      { class: "tb-chart", "data-metric": metric },
      head,
      this.plotElement,
      this.#error,
    );
  }

  /** Whether there is now something to draw. */
  update(scene: Scene): boolean {
    this.#scene = scene;
    return this.stale;
  }

  get stale(): boolean {
    return this.#scene !== null && !(this.#drawn && sameScene(this.#scene, this.#drawn) && this.#fits());
  }

  get plot(): Plot | null {
    return this.#plot;
  }

  async draw(): Promise<void> {
    const scene = this.#scene;
    if (!scene || !this.visible || !this.plotElement.clientWidth) return;
    this.#drawn = scene;
    try {
      this.#plot = plotOf(scene.series, scene.look);
      this.#describe(this.#plot);
      await this.#render(this.#plot, scene);
      this.#showError(null);
    } catch (error) {
      this.#showError(error);
    }
  }

  destroy() {
    this.#view?.finalize();
    this.#view = null;
  }

  /** The x under a place in the window; null off the axis unless `clamp`, and where there is no x axis. */
  xAt(clientX: number, clamp = false): number | null {
    if (!this.#view || this.#plot?.kind === "bar") return null;
    const at = clientX - this.plotElement.getBoundingClientRect().left - this.#view.origin()[0];
    const width: number = this.#view.signal("width");
    if (!clamp && (at < -REACH || at > width + REACH)) return null;
    return Number(this.#view.scale("x").invert(Math.min(width, Math.max(0, at))));
  }

  /** Draws the crosshair at x, without Vega. */
  point(x: number | null) {
    const at = x === null ? null : this.#pixel(x);
    this.#crosshair.hidden = at === null;
    if (at !== null) this.#crosshair.style.transform = `translateX(${at}px)`;
  }

  #pixel(x: number): number | null {
    if (!this.#view || !this.#plot?.rows.length || this.#plot.kind === "bar") return null;
    const at = this.#view.scale("x")(x);
    const inside = at >= -0.5 && at <= this.#view.signal("width") + 0.5;
    return inside ? Math.round(at + this.#view.origin()[0]) : null;
  }

  #fits(): boolean {
    const { clientWidth, clientHeight } = this.plotElement;
    const size = `${clientWidth}x${clientHeight}@${devicePixelRatio}`;
    return clientWidth === 0 || this.element.dataset.size === size;
  }

  async #render(plot: Plot, { theme, font, look, zoom }: Scene) {
    const { kind, rows } = plot;
    const view = this.#viewFor(kind, theme, font);
    this.#resize(view, plot);
    const windows = { x_window: zoom, y_window: valueWindow(plot, zoom) };
    await drawRows(view, rows, kind === "bar" ? {} : { smoothing: look.smoothing, ...windows });
    this.element.dataset.drawn = String(rows.length);
  }

  #viewFor(kind: Kind, theme: Theme, font: string): View {
    const key = JSON.stringify([kind, theme, font]);
    if (this.#view && this.#viewKey === key) return this.#view;
    this.destroy();
    delete this.element.dataset.size;
    this.#canvas.replaceChildren();
    this.#view = createView(kind, { theme, font, container: this.#canvas }, error => this.#showError(error));
    this.#viewKey = key;
    this.element.view = this.#view;
    return this.#view;
  }

  #resize(view: View, { kind, rows: { length: bars } }: Plot) {
    const { clientWidth, clientHeight } = this.plotElement;
    const height = kind === "bar" ? Math.min(clientHeight, bars * BAR_HEIGHT + BAR_HEIGHT / 2) : clientHeight;
    if (this.#fits() && view.height() === height) return;
    view.width(clientWidth).height(height).resize();
    this.element.dataset.size = `${clientWidth}x${clientHeight}@${devicePixelRatio}`;
  }

  #describe(plot: Plot) {
    setChildren(this.#latest, latestValues(plot, this.plotElement.clientWidth));
    const values = plot.traces
      .slice(0, 10)
      .map(({ style, latest }) => `${style.label} ${formatValue(latest)}`);
    this.plotElement.setAttribute("aria-label", `${this.metric}: ${values.join(", ") || "no visible run"}`);
  }

  #showError(error: unknown) {
    if (error) console.error(`Trackbook: ${this.metric}:`, error);
    this.#error.hidden = !error;
    this.element.classList.toggle("tb-broken", Boolean(error));
    setText(this.#error, error ? `This chart could not be drawn: ${(error as Error).message ?? error}` : "");
  }
}

function sameScene(a: Scene, b: Scene): boolean {
  return (
    a.look === b.look &&
    a.theme === b.theme &&
    a.font === b.font &&
    a.zoom === b.zoom &&
    a.series.length === b.series.length &&
    a.series.every((series, i) => series === b.series[i])
  );
}
