import { Frame } from "./axes.ts";
import { h, setChildren, setText } from "./dom.ts";
import { domainsOf } from "./domain.ts";
import { formatValue } from "./format.ts";
import { latestValues } from "./latest.ts";
import { type Content, extentOf, type Plot, plotOf, type Range, type Zoom } from "./plot.ts";
import { Pointer } from "./pointer.ts";
import type { Row } from "./rows.ts";
import { resizeView } from "./sizing.ts";
import { specOf } from "./specs.ts";
import type { Theme } from "./theme.ts";
import { type Canvas, createCanvas, type Spec, type View } from "./vega.ts";

export type { Axis } from "./axes.ts";

const BAR_HEIGHT = 24; // px, of a bar with its gap
const MARGIN = 40; // px of a chart's width that its labels take
const LEAST_ROOM = 24; // px

/** What a chart is drawn from. A chart whose scene equals the one it drew is not drawn again. */
export interface Scene extends Content {
  theme: Theme;
  /** What cannot be shown now, and why. */
  remark: string;
}

/** One metric's chart: a box in the page with a Vega view that lives as long as its specification and theme stay. */
export class Chart {
  readonly element: HTMLElement & { view?: View };
  /** All of the chart; usually in `element`, sometimes in a dialog that shows it large. */
  readonly body: HTMLElement;
  readonly head: HTMLElement;
  readonly plotElement = h("div", { class: "tb-plot", role: "img" });
  visible = false;
  #latest = h("div", { class: "tb-latest" });
  #container = h("div", { class: "tb-canvas" });
  #remarks = h("div", { class: "tb-remarks" });
  #pointer = new Pointer();
  #error = h("div", { class: "tb-error", role: "alert", hidden: "" });
  #scene: Scene | null = null;
  #drawn: Scene | null = null;
  #plot: Plot | null = null;
  #made: (Canvas & { spec: Spec; key: string }) | null = null;
  #size = "";

  constructor(
    readonly metric: string,
    title: string,
  ) {
    const name = h("div", { class: "tb-metric", role: "heading", "aria-level": "4", title: metric }, title);
    this.head = h("div", { class: "tb-chart-head" }, name, this.#latest);
    this.plotElement.append(this.#container, this.#pointer.element, this.#remarks);
    this.body = h("div", { class: "tb-chart-body" }, this.head, this.plotElement, this.#error);
    this.element = h("section", { class: "tb-chart", "data-metric": metric }, this.body);
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

  get scene(): Scene | null {
    return this.#scene;
  }

  get zoom(): Zoom {
    return this.#scene?.zoom ?? { x: null, y: null };
  }

  get view(): View | null {
    return this.#made?.view ?? null;
  }

  /** How many pixels wide the lines are, or, before they were drawn, may be. */
  get columns(): number {
    const drawn = this.#plot && this.#plot.kind !== "bar" && this.#made?.view.signal("width");
    return Math.max(LEAST_ROOM, Math.round(drawn || this.plotElement.clientWidth - MARGIN));
  }

  /** Whether a window of x shows all there is. */
  holds([from, to]: Range): boolean {
    const extent = this.#scene && extentOf(this.#scene);
    return !extent || (from <= extent[0] && to >= extent[1]);
  }

  async draw(): Promise<void> {
    const scene = this.#scene;
    if (!scene || !this.visible || !this.plotElement.clientWidth) return;
    this.#drawn = scene;
    try {
      await this.#drawAtPixels(scene);
      this.#showError(null);
    } catch (error) {
      if (this.#scene) this.#showError(error);
    }
  }

  /** How much room labels leave to the lines is known when they are drawn; many points are then chosen once more. */
  async #drawAtPixels(scene: Scene) {
    let columns = 0;
    for (let times = 0; times < 2 && columns !== this.columns; times++) {
      columns = this.columns;
      this.#plot = plotOf(scene, columns);
      await this.#render(this.#plot, scene);
      if (!this.#scene || this.#plot.rows.length <= columns) break;
    }
  }

  destroy() {
    this.#made?.view.finalize();
    this.#made = null;
    this.#scene = null;
  }

  /** The chart's axes in the window, where it has any with something on them. */
  get axes(): Frame | null {
    if (!this.#made || !this.#plot?.rows.length || this.#plot.kind === "bar") return null;
    return new Frame(this.#made.view, this.plotElement);
  }

  /** Shows where on the x axis the pointer is, be it in this chart or another. */
  point(x: number | null, rows: readonly Row[] = []) {
    const axes = x === null ? null : this.axes;
    if (x === null || !axes) return this.#pointer.hide();
    this.#pointer.show(axes, this.plotElement, x, rows);
  }

  async #render(plot: Plot, { theme, look, zoom, remark }: Scene) {
    const { kind, rows, log } = plot;
    const canvas = this.#canvasFor(specOf(kind, log), theme);
    this.#resize(canvas.view, plot);
    const { x, y, outside } = domainsOf(plot, zoom, look.clipOutliers);
    const remarks = [
      ...plot.remarks,
      ...(outside ? [`${outside} outside`] : []),
      ...(remark ? [remark] : []),
    ];
    this.#describe(plot, remarks);
    const signals = {
      smoothing: look.smoothing.amount,
      x_window: x,
      y_window: y,
      x_log: log.x,
      y_log: log.y,
    };
    await (kind === "bar" ? canvas.draw(rows, signals) : canvas.drawLines(rows, signals));
    this.element.dataset.drawn = String(rows.length);
  }

  #canvasFor(spec: Spec, theme: Theme): Canvas {
    const { fontFamily: font } = getComputedStyle(this.body);
    const key = JSON.stringify([theme, font]);
    if (this.#made?.spec === spec && this.#made.key === key) return this.#made;
    this.#made?.view.finalize();
    this.#made = null;
    this.#size = "";
    this.#container.replaceChildren();
    this.#made = { ...createCanvas(spec, theme, font, this.#container), spec, key };
    this.element.view = this.#made.view;
    return this.#made;
  }

  #resize(view: View, plot: Plot) {
    const { clientWidth, clientHeight } = this.plotElement;
    const size = this.#sizeOf(plot);
    if (this.#size === size) return;
    const bars = (plot.rows.length + 0.5) * BAR_HEIGHT;
    resizeView(view, clientWidth, plot.kind === "bar" ? Math.min(clientHeight, bars) : clientHeight);
    this.#size = size;
  }

  /** Changes with whatever makes the canvas another size. Vega's own width and height are those of the axes. */
  #sizeOf({ kind, rows }: Plot): string {
    const { clientWidth, clientHeight } = this.plotElement;
    return [clientWidth, clientHeight, devicePixelRatio, kind === "bar" ? rows.length : ""].join();
  }

  #describe(plot: Plot, remarks: readonly string[]) {
    const alone = !this.element.contains(this.body); // in a dialog, away from the board's legend
    setChildren(this.#latest, latestValues(plot, this.plotElement.clientWidth, alone));
    setText(this.#remarks, remarks.join(" · "));
    const values = plot.traces
      .slice(0, 10)
      .map(({ style, latest }) => `${style.label} ${formatValue(latest)}`);
    const said = [values.join(", ") || "no visible run", ...remarks].join("; ");
    this.plotElement.setAttribute("aria-label", `${this.metric}: ${said}`);
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
    a.remark === b.remark &&
    a.axes.x === b.axes.x &&
    a.axes.log.x === b.axes.log.x &&
    a.axes.log.y === b.axes.log.y &&
    sameItems(a.axes.knots, b.axes.knots) &&
    sameItems(a.fine, b.fine) &&
    sameItems(a.series, b.series)
  );
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
