import { h, setChildren } from "./dom.ts";
import { formatValue } from "./format.ts";
import { latestValues } from "./latest.ts";
import { type Kind, type Look, type Plot, plotOf, type Range, valueWindow } from "./plot.ts";
import type { Series } from "./series.ts";
import type { Theme } from "./theme.ts";
import { type Canvas, createCanvas, type View } from "./vega.ts";

const BAR_HEIGHT = 24; // px, of a bar with its gap
const REACH = 8; // px beyond the axis that still count as its end

/** What a chart is drawn from. A chart whose scene equals the one it drew is not drawn again. */
export interface Scene {
  series: readonly Series[];
  look: Look;
  theme: Theme;
  zoom: Range | null;
}

/** One metric's chart: a box in the page with a Vega view that lives as long as kind and theme stay. */
export class Chart {
  readonly element: HTMLElement & { view?: View };
  readonly plotElement = h("div", { class: "tb-plot", role: "img" });
  visible = false;
  #latest = h("div", { class: "tb-latest" });
  #container = h("div", { class: "tb-canvas" });
  #crosshair = h("div", { class: "tb-crosshair", hidden: "" });
  #error = h("div", { class: "tb-error", role: "alert", hidden: "" });
  #scene: Scene | null = null;
  #drawn: Scene | null = null;
  #plot: Plot | null = null;
  #made: (Canvas & { key: string }) | null = null;
  #size = "";

  constructor(
    readonly metric: string,
    title: string,
  ) {
    const name = h("div", { class: "tb-metric", role: "heading", "aria-level": "4", title: metric }, title);
    const head = h("div", { class: "tb-chart-head" }, name, this.#latest);
    this.plotElement.append(this.#container, this.#crosshair);
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
    if (!this.#scene || !this.plotElement.clientWidth) return false;
    return (
      !this.#drawn ||
      !sameScene(this.#scene, this.#drawn) ||
      this.#size !== (this.#plot && this.#sizeOf(this.#plot))
    );
  }

  get plot(): Plot | null {
    return this.#plot;
  }

  async draw(): Promise<void> {
    const scene = this.#scene;
    if (!scene || !this.visible || !this.plotElement.clientWidth) return;
    this.#drawn = scene;
    try {
      this.#plot = plotOf(scene.series, scene.look, this.#columns(scene));
      this.#describe(this.#plot);
      await this.#render(this.#plot, scene);
      this.#showError(null);
    } catch (error) {
      if (this.#scene) this.#showError(error);
    }
  }

  /** A bucket a pixel shows all there is to see; zoomed in, every bucket is worth drawing. */
  #columns({ zoom }: Scene): number {
    return zoom ? Number.POSITIVE_INFINITY : this.plotElement.clientWidth;
  }

  destroy() {
    this.#made?.view.finalize();
    this.#made = null;
    this.#scene = null;
  }

  /** The x under a place in the window; null off the axis unless `clamp`, and where there is no x axis. */
  xAt(clientX: number, clamp = false): number | null {
    const view = this.#axes;
    if (!view) return null;
    const at = clientX - this.plotElement.getBoundingClientRect().left - view.origin()[0];
    const width: number = view.signal("width");
    if (!clamp && (at < -REACH || at > width + REACH)) return null;
    return Number(view.scale("x").invert(Math.min(width, Math.max(0, at))));
  }

  /** Draws the crosshair at x, without Vega. */
  point(x: number | null) {
    const at = x === null ? null : this.#pixel(x);
    this.#crosshair.hidden = at === null;
    if (at !== null) this.#crosshair.style.transform = `translateX(${at}px)`;
  }

  #pixel(x: number): number | null {
    const view = this.#axes;
    if (!view) return null;
    const at = view.scale("x")(x);
    const inside = at >= -0.5 && at <= view.signal("width") + 0.5;
    return inside ? Math.round(at + view.origin()[0]) : null;
  }

  /** The view, where it has an x axis with something on it. */
  get #axes(): View | null {
    return this.#made && this.#plot?.rows.length && this.#plot.kind !== "bar" ? this.#made.view : null;
  }

  async #render(plot: Plot, { theme, look, zoom }: Scene) {
    const { kind, rows } = plot;
    const canvas = this.#canvasFor(kind, theme);
    this.#resize(canvas.view, plot);
    const windows = { x_window: zoom, y_window: valueWindow(plot, zoom) };
    await canvas.draw(rows, kind === "bar" ? {} : { smoothing: look.smoothing, ...windows });
    this.element.dataset.drawn = String(rows.length);
  }

  #canvasFor(kind: Kind, theme: Theme): Canvas {
    const { fontFamily: font } = getComputedStyle(this.element);
    const key = JSON.stringify([kind, theme, font]);
    if (this.#made?.key === key) return this.#made;
    this.#made?.view.finalize();
    this.#made = null;
    this.#size = "";
    this.#container.replaceChildren();
    this.#made = { ...createCanvas(kind, theme, font, this.#container), key };
    this.element.view = this.#made.view;
    return this.#made;
  }

  #resize(view: View, plot: Plot) {
    const { clientWidth, clientHeight } = this.plotElement;
    const size = this.#sizeOf(plot);
    if (this.#size === size) return;
    const bars = (plot.rows.length + 0.5) * BAR_HEIGHT;
    view.width(clientWidth).height(plot.kind === "bar" ? Math.min(clientHeight, bars) : clientHeight);
    view.resize();
    this.#size = size;
  }

  /** Changes with whatever makes the canvas another size. Vega's own width and height are those of the axes. */
  #sizeOf({ kind, rows }: Plot): string {
    const { clientWidth, clientHeight } = this.plotElement;
    return [clientWidth, clientHeight, devicePixelRatio, kind === "bar" ? rows.length : ""].join();
  }

  #describe(plot: Plot) {
    setChildren(this.#latest, latestValues(plot, this.plotElement.clientWidth));
    const values = plot.traces
      .slice(0, 10)
      .map(({ style, latest }) => `${style.label} ${formatValue(latest)}`);
    this.plotElement.setAttribute("aria-label", `${this.metric}: ${values.join(", ") || "no visible run"}`);
  }

  #showError(error: unknown) {
    const text = error ? `This chart could not be drawn: ${(error as Error).message ?? error}` : "";
    if (this.#error.textContent === text) return;
    if (error) console.error(`Trackbook: ${this.metric}:`, error);
    this.#error.textContent = text;
    this.#error.hidden = !error;
    this.element.classList.toggle("tb-broken", Boolean(error));
  }
}

function sameScene(a: Scene, b: Scene): boolean {
  return (
    a.look === b.look &&
    a.theme === b.theme &&
    a.zoom === b.zoom &&
    a.series.length === b.series.length &&
    a.series.every((series, i) => series === b.series[i])
  );
}
