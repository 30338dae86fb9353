import type { View } from "vega";
import { sameItems } from "../frames/columns.ts";
import { domainsOf } from "../plot/domains.ts";
import { type ChartContent, type Plot, plotOf, sameAxes, xExtentOf, type Zoom } from "../plot/plot.ts";
import type { PlotRow } from "../plot/rows.ts";
import type { Range } from "../plot/slices.ts";
import { type Spec, specOf } from "../plot/specs.ts";
import { h, setChildren, setText } from "../ui/dom.ts";
import { formatValue } from "../ui/format.ts";
import type { Theme } from "../ui/theme.ts";
import { Crosshair } from "./crosshair.ts";
import { latestValues } from "./latest-values.ts";
import { PlotArea } from "./plot-area.ts";
import { ErrorNote, resizeView, VegaBox } from "./vega-box.ts";
import { createVegaView, type VegaView } from "./vega-view.ts";

const BAR_HEIGHT = 24; // px, of a bar with its gap
const MARGIN = 40; // px of a chart's width that its labels take
const LEAST_ROOM = 24; // px

/** What a chart is drawn from. A chart whose scene equals the one it drew is not drawn again. */
export interface ChartScene extends ChartContent {
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
  #box = new VegaBox<VegaView>();
  #remarks = h("div", { class: "tb-remarks" });
  #crosshair = new Crosshair();
  #errorNote = new ErrorNote();
  #scene: ChartScene | null = null;
  #drawn: ChartScene | null = null;
  #plot: Plot | null = null;

  constructor(
    readonly metric: string,
    title: string,
  ) {
    const name = h("div", { class: "tb-metric", role: "heading", "aria-level": "4", title: metric }, title);
    this.head = h("div", { class: "tb-chart-head" }, name, this.#latest);
    this.plotElement.append(this.#box.element, this.#crosshair.element, this.#remarks);
    this.body = h("div", { class: "tb-chart-body" }, this.head, this.plotElement, this.#errorNote.element);
    this.element = h("section", { class: "tb-chart", "data-metric": metric }, this.body);
  }

  /** Whether there is now something to draw. */
  update(scene: ChartScene): boolean {
    this.#scene = scene;
    return this.stale;
  }

  get stale(): boolean {
    if (!this.#scene || !this.plotElement.clientWidth) return false;
    return (
      !this.#drawn ||
      !sameScene(this.#scene, this.#drawn) ||
      this.#box.size !== (this.#plot && this.#sizeOf(this.#plot))
    );
  }

  get plot(): Plot | null {
    return this.#plot;
  }

  get scene(): ChartScene | null {
    return this.#scene;
  }

  get zoom(): Zoom {
    return this.#scene?.zoom ?? { x: null, y: null };
  }

  get view(): View | null {
    return this.#box.view;
  }

  /** How many pixels wide the lines are, or, before they were drawn, may be. */
  get columns(): number {
    const drawn = this.#plot && this.#plot.kind !== "bar" && this.view?.signal("width");
    return Math.max(LEAST_ROOM, Math.round(drawn || this.plotElement.clientWidth - MARGIN));
  }

  /** Whether a window of x shows all there is. */
  holds([from, to]: Range): boolean {
    const extent = this.#scene && xExtentOf(this.#scene);
    return !extent || (from <= extent[0] && to >= extent[1]);
  }

  async draw(): Promise<void> {
    const scene = this.#scene;
    if (!scene || !this.visible || !this.plotElement.clientWidth) return;
    this.#drawn = scene;
    try {
      await this.#drawAtPixels(scene);
      this.#errorNote.show(null, this.element, this.metric);
    } catch (error) {
      if (this.#scene) this.#errorNote.show(error, this.element, this.metric);
    }
  }

  /** How much room labels leave to the lines is known when they are drawn; many points are then chosen once more. */
  async #drawAtPixels(scene: ChartScene) {
    let columns = 0;
    for (let times = 0; times < 2 && columns !== this.columns; times++) {
      columns = this.columns;
      this.#plot = plotOf(scene, columns);
      await this.#render(this.#plot, scene);
      if (!this.#scene || this.#plot.rows.length <= columns) break;
    }
  }

  destroy() {
    this.#box.destroy();
    this.#scene = null;
  }

  /** The chart's axes in the window, where it has any with something on them. */
  get axes(): PlotArea | null {
    if (!this.view || !this.#plot?.rows.length || this.#plot.kind === "bar") return null;
    return new PlotArea(this.view, this.plotElement);
  }

  /** Shows where on the x axis the pointer is, be it in this chart or another. */
  showCrosshair(x: number | null, rows: readonly PlotRow[] = []) {
    const axes = x === null ? null : this.axes;
    if (x === null || !axes) return this.#crosshair.hide();
    this.#crosshair.show(axes, this.plotElement, x, rows);
  }

  async #render(plot: Plot, { theme, look, zoom, remark }: ChartScene) {
    const { kind, rows, log } = plot;
    const canvas = this.#viewFor(specOf(kind, log), theme);
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

  #viewFor(spec: Spec, theme: Theme): VegaView {
    const { fontFamily: font } = getComputedStyle(this.body);
    const canvas = this.#box.made([spec, theme, font], box => createVegaView(spec, theme, font, box));
    this.element.view = canvas.view;
    return canvas;
  }

  #resize(view: View, plot: Plot) {
    const { clientWidth, clientHeight } = this.plotElement;
    const size = this.#sizeOf(plot);
    if (this.#box.size === size) return;
    const bars = (plot.rows.length + 0.5) * BAR_HEIGHT;
    resizeView(view, clientWidth, plot.kind === "bar" ? Math.min(clientHeight, bars) : clientHeight);
    this.#box.size = size;
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
}

function sameScene(a: ChartScene, b: ChartScene): boolean {
  return (
    a.look === b.look &&
    a.theme === b.theme &&
    a.zoom === b.zoom &&
    a.remark === b.remark &&
    sameAxes(a.axes, b.axes) &&
    sameItems(a.fine, b.fine) &&
    sameItems(a.series, b.series)
  );
}
