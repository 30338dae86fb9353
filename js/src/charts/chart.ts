import type { View } from "vega";
import { sameItems } from "../frames/columns.ts";
import type { ChartOptions } from "../plot/chart-options.ts";
import { type ChartPart, Combiner } from "../plot/combined.ts";
import { domainsOf } from "../plot/domains.ts";
import { LogHint } from "../plot/log-hint.ts";
import { type Count, formatAtLeast, type LeftOut } from "../plot/outliers.ts";
import { OwnSmoothing } from "../plot/own-smoothing.ts";
import { type ChartContent, type Plot, plotOf, sameAxes, xExtentOf, type Zoom } from "../plot/plot.ts";
import type { PlotRow, RunStyle } from "../plot/plot-rows.ts";
import { endPoint, type Range } from "../plot/series-window.ts";
import { pictureSpec, type Spec, specOf } from "../plot/specs.ts";
import { setName } from "../ui/cut-name.ts";
import { h, setChildren, setText } from "../ui/dom.ts";
import { formatAlone, formatValue } from "../ui/format.ts";
import type { TextLook, Theme } from "../ui/theme.ts";
import { Crosshair } from "./crosshair.ts";
import { Highlight } from "./highlight.ts";
import { latestValues, partLabels } from "./latest-values.ts";
import { PlotArea } from "./plot-area.ts";
import { ErrorNote, resizeView, VegaBox } from "./vega-box.ts";
import { createVegaView, drawPicture, type PictureLook, type VegaView } from "./vega-view.ts";

const BAR_HEIGHT = 24; // px per bar, with its gap
const MARGIN = 40; // px of a chart's width that axis labels take
const LEAST_ROOM = 24; // px
const LARGE_LABELS = 13; // px, in full screen
const REMARK_LETTER = 6; // px
const LOG_HINT = "Log y?";
const VALUE_LETTERS = 9; // of a value in a legend

/** The input of a chart. A chart is redrawn only when its scene changed. */
interface ChartInput {
  /** Its metrics: one, or those of a combined chart, which share settings, axes and zoom. */
  parts: readonly ChartPart[];
  /** What is set for this chart; the same object while it is unchanged. */
  options: ChartOptions;
  theme: Theme;
  textLook: TextLook;
  /** The name of the x axis if it is not the board's. */
  axisName: string;
  /** The data that cannot be shown now, and why. */
  remark: string;
}

/** What a chart draws: the content of its metric, or of all of them joined. */
export interface ChartScene extends ChartInput, ChartContent {}

/** A metric's chart: an element with a Vega view, which is kept while spec and theme stay the same. */
export class Chart {
  readonly element: HTMLElement & { view?: View };
  /** The whole chart; usually inside `element`, in full screen inside a dialog. */
  readonly body: HTMLElement;
  readonly head: HTMLElement;
  readonly title: HTMLElement;
  readonly plotElement = h("div", { class: "tb-plot", role: "img" });
  visible = false;
  #latest = h("div", { class: "tb-latest" });
  #box = new VegaBox<VegaView>();
  #smoothing = new OwnSmoothing();
  #outside = h("button", { type: "button", class: "tb-outside" });
  #remarkText = h("span");
  #log = h("button", { type: "button", class: "tb-log-hint", hidden: "" }, LOG_HINT);
  #remarks = h("div", { class: "tb-remarks" }, this.#outside, this.#remarkText, this.#log);
  #tile = h("div", { class: "tb-tile-value", hidden: "" });
  #logHint = new LogHint();
  /** Called when the reader takes up the hint that a logarithmic axis shows more. */
  onLogHint: (() => void) | undefined;
  #showOutliers = false;
  #exact: { key: string; count: number } | null = null;
  #texts: readonly string[] = [];
  /** Called when the buckets do not tell how many values are outside of a range. */
  onInexact: ((range: { low: number; high: number; key: string }) => void) | undefined;
  #tickStep = Number.NaN;
  #axisName = h("div", { class: "tb-axis-name" });
  #crosshair = new Crosshair();
  #highlight = new Highlight();
  #highlighted: string | null = null;
  #errorNote = new ErrorNote();
  #combiner = new Combiner();
  #scene: ChartScene | null = null;
  #drawn: ChartScene | null = null;
  #plot: Plot | null = null;

  constructor(readonly metric: string) {
    const heading = { class: "tb-metric", role: "heading", "aria-level": "4", title: metric };
    this.title = h("div", heading);
    this.head = h("div", { class: "tb-chart-head" }, this.title, this.#remarks, this.#latest);
    this.plotElement.append(
      this.#box.element,
      this.#highlight.element,
      this.#crosshair.element,
      this.#axisName,
      this.#tile,
    );
    this.body = h("div", { class: "tb-chart-body" }, this.head, this.plotElement, this.#errorNote.element);
    this.element = h("section", { class: "tb-chart", "data-metric": metric }, this.body);
    this.#outside.addEventListener("click", () => this.#toggleOutliers()); // removed together with the chart
    this.#log.title = "The largest value presses the others together: draw the y axis logarithmic";
    this.#log.addEventListener("click", () => this.onLogHint?.());
  }

  /** Set what stands above the chart; the rest of the metric's name is added in full screen. */
  setTitle(title: string) {
    if (this.title.textContent === title) return;
    setName(this.title, title);
    this.title.dataset.prefix = this.metric.endsWith(title) ? this.metric.slice(0, -title.length) : "";
  }

  /** Set the input. Returns whether the chart must be redrawn. */
  update(input: ChartInput): boolean {
    const { parts, theme } = input;
    const content = parts.length > 1 ? this.#combiner.combine(parts, theme) : parts[0].content;
    this.#scene = { ...input, ...content };
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

  /** The width of the plot in pixels; before the first draw, the available width. */
  get columns(): number {
    const drawn = this.#plot && this.#plot.kind !== "bar" && this.view?.signal("width");
    return Math.max(LEAST_ROOM, Math.round(drawn || this.plotElement.clientWidth - MARGIN));
  }

  /** Whether a range of x contains all data. */
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

  /** Draw, and draw once more if the labels left another width than expected: long lines depend on it. */
  async #drawAtPixels(scene: ChartScene) {
    let columns = 0;
    for (let times = 0; times < 2 && columns !== this.columns; times++) {
      columns = this.columns;
      this.#plot = this.#plotOf(scene, columns);
      await this.#render(this.#plot, scene);
      if (!this.#scene || this.#plot.rows.length <= columns) break;
    }
  }

  #plotOf(scene: ChartScene, columns: number): Plot {
    const settings = this.#smoothing.settle(scene);
    return plotOf({ ...scene, settings }, columns, scene.options);
  }

  #toggleOutliers() {
    this.#showOutliers = !this.#showOutliers;
    void this.draw();
  }

  /** The runs that are drawn, by metric. */
  get sources(): { metric: string; styles: RunStyle[] }[] {
    const { parts = [] } = this.#scene ?? {};
    const styles = this.#plot?.traces.map(({ style }) => style) ?? [];
    const isOf = (style: RunStyle, part: number) => style.run.key % parts.length === part;
    return parts.map(({ metric }, i) => ({ metric, styles: styles.filter(style => isOf(style, i)) }));
  }

  /** Draw the chart for a file, without the page: with title, legend and axis names. */
  async picture(look: PictureLook): Promise<View> {
    const scene = this.#scene;
    if (!scene || !this.#plot) throw new Error("Nothing is drawn yet.");
    const { theme, axes } = scene;
    const { width } = look;
    const plot = this.#plotOf(scene, width);
    const styles = plot.traces.map(({ style }) => style);
    const spec = pictureSpec(specOf(plot.kind, plot.log, plot.rows), this.metric, axes.x, plot.traces);
    const height = plot.kind === "bar" ? (plot.rows.length + 0.5) * BAR_HEIGHT : look.height;
    const longest = Math.max(...styles.map(({ label }) => label.length)) + VALUE_LETTERS;
    const page = { theme, textLook: scene.textLook, look: { ...look, height }, longest };
    return drawPicture(spec, page, plot.rows, this.#signalsOf(plot, scene));
  }

  destroy() {
    this.#box.destroy();
    this.#scene = null;
  }

  /** The plot area in the window; null if the chart has no axes or no rows. */
  get axes(): PlotArea | null {
    if (!this.view || !this.#plot?.rows.length || this.#plot.kind === "bar") return null;
    return new PlotArea(this.view, this.plotElement);
  }

  /** Show the crosshair at x, also for a pointer in another chart. */
  showCrosshair(x: number | null, rows: readonly PlotRow[] = []) {
    const axes = x === null ? null : this.axes;
    if (x === null || !axes) return this.#crosshair.hide();
    this.#crosshair.show(axes, this.plotElement, x, rows);
  }

  /** Return the value at which a row is drawn. */
  drawnValue = (row: PlotRow): number =>
    this.#plot?.smoothing && Number.isFinite(row.smooth) ? row.smooth : row.value;

  /** Draw the line of a run, by its id, strong and on top; null draws none so. */
  highlight(run: string | null) {
    this.#highlighted = run;
    this.#showHighlight();
  }

  #showHighlight() {
    const run = this.#highlighted;
    const trace = run === null ? undefined : this.#plot?.traces.find(({ style }) => style.run.id === run);
    const { axes } = this;
    if (!trace || !axes || !this.visible) return this.#highlight.hide();
    const lines = this.#plot?.traces.length ?? 0;
    this.#highlight.show(trace, lines, axes, this.plotElement, this.drawnValue);
  }

  async #render(plot: Plot, scene: ChartScene) {
    const { zoom, remark, axisName } = scene;
    const { kind, rows, log } = plot;
    if (this.#showTile(plot)) return;
    const canvas = this.#viewFor(specOf(kind, log, rows), scene);
    this.#resize(canvas.view, plot);
    const { outliers } = plot;
    setText(this.#axisName, kind === "bar" ? "" : axisName);
    const signals = this.#signalsOf(plot, scene);
    this.#tickStep = plot.log.y ? Number.NaN : tickStep(rows, signals.y_window as Range | null);
    this.#describe(plot, remark ? [...plot.remarks, remark] : plot.remarks, zoom.y ? null : outliers);
    await (kind === "bar" ? canvas.draw(rows, signals) : canvas.drawLines(rows, signals));
    this.element.dataset.drawn = String(rows.length);
    if (this.#highlighted !== null) this.#showHighlight();
  }

  /** Show the value of a lone run as a number; a bar would compare it with nothing. Returns whether it is shown so. */
  #showTile(plot: Plot): boolean {
    const isTile = plot.kind === "bar" && plot.traces.length === 1;
    this.element.classList.toggle("tb-tile", isTile);
    this.#tile.hidden = !isTile;
    if (!isTile) return false;
    const [{ style, latest }] = plot.traces;
    setText(this.#tile, formatAlone(latest));
    this.#tile.style.color = style.ink;
    this.#box.destroy();
    this.#box.size = this.#sizeOf(plot);
    this.#describe(plot, plot.remarks, null);
    this.element.dataset.drawn = "1";
    return true;
  }

  #signalsOf(plot: Plot, { settings, zoom, options }: ChartScene): Record<string, unknown> {
    const [limits, asked] = this.#showOutliers ? [null, []] : [plot.outliers?.limits, options.yRange];
    const { x, y } = domainsOf(plot, zoom, limits, options.natural, asked);
    const { smoothing } = plot;
    return { ...settings.options, smoothing, x_window: x, y_window: y, x_log: plot.log.x, y_log: plot.log.y };
  }

  #viewFor(spec: Spec, { theme, textLook }: ChartScene): VegaView {
    const labels = this.element.contains(this.body) ? undefined : LARGE_LABELS;
    const canvas = this.#box.contentFor([spec, theme, textLook, labels], box =>
      createVegaView(spec, theme, textLook, box, labels),
    );
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

  /**
   * A key that changes with everything that affects the canvas size. Vega's own width and height exclude the axes.
   */
  #sizeOf({ kind, rows }: Plot): string {
    const { clientWidth, clientHeight } = this.plotElement;
    return [clientWidth, clientHeight, devicePixelRatio, kind === "bar" ? rows.length : ""].join();
  }

  /** The count of the outliers, from the kernel where the buckets do not tell it. */
  #exactly({ range, count, apart }: LeftOut): Count {
    const outside = ({ atLeast, exact }: Count) => ({ atLeast: Math.max(0, atLeast - apart), exact });
    if (count.exact) return outside(count);
    const key = [
      ...range,
      ...(this.#scene?.series.map(each => endPoint(each, each.rows - 1, "last").step) ?? []),
    ].join();
    if (this.#exact?.key === key) return outside({ atLeast: this.#exact.count, exact: true });
    const [low, high] = range;
    this.onInexact?.({ low, high, key });
    return outside(count);
  }

  /** Show a count that the kernel answered. */
  setExact(exact: { key: string; count: number }) {
    this.#exact = exact;
    if (this.#plot && this.#scene)
      this.#describe(this.#plot, this.#texts, this.#scene.zoom.y ? null : this.#plot.outliers);
  }

  #describe(plot: Plot, texts: readonly string[], outliers: Plot["outliers"]) {
    const count = outliers && this.#exactly(outliers);
    const outside = `${count && formatAtLeast(count)} ${this.#showOutliers ? "outliers shown" : "outside"}`;
    this.#texts = texts;
    const remarks = count?.atLeast ? [outside, ...texts] : texts;
    const alone = !this.element.contains(this.body); // in full screen, without the board's legend
    const combined = (this.#scene?.parts.length ?? 1) > 1 && plot.kind !== "bar";
    this.#log.hidden = !this.#logHint.settle(plot);
    const said = [...remarks, ...(this.#log.hidden ? [] : [LOG_HINT])].join(" · ");
    const width = this.plotElement.clientWidth - Math.min(90, said.length * REMARK_LETTER);
    const { goal = null, baseline = "" } = this.#scene?.options ?? {};
    const step = this.#tickStep;
    const look = { width, title: this.title.textContent, named: alone, step, goal, baseline };
    const labels = combined ? partLabels(this.#combiner.keys, plot, look) : latestValues(plot, look);
    setChildren(this.#latest, labels);
    setText(this.#remarkText, texts.join(" · "));
    this.#remarkText.title = texts.join(" · ");
    setText(this.#outside, remarks === texts ? "" : outside);
    this.#outside.title = this.#showOutliers ? "Leave them out of the y axis" : "Show them on the y axis";
    const values = plot.traces
      .slice(0, 10)
      .map(({ style, latest }) => `${style.label} ${formatValue(latest)}`);
    const spoken = [values.join(", ") || "no visible run", ...remarks].join("; ");
    this.plotElement.setAttribute("aria-label", `${this.metric}: ${spoken}`);
  }
}

/** Return the approximate distance between ticks of the y axis. */
function tickStep(rows: readonly PlotRow[], window: Range | null): number {
  let [low, high] = window ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { value } of window ? [] : rows)
    if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return (high - low) / TICKS;
}

const TICKS = 4;

function sameScene(a: ChartScene, b: ChartScene): boolean {
  return (
    a.settings === b.settings &&
    a.theme === b.theme &&
    a.textLook === b.textLook &&
    a.zoom === b.zoom &&
    a.remark === b.remark &&
    a.options === b.options &&
    a.axisName === b.axisName &&
    sameAxes(a.axes, b.axes) &&
    sameItems(a.fine, b.fine) &&
    sameItems(a.series, b.series)
  );
}
