import type { View } from "vega";
import { sameItems } from "../frames/columns.ts";
import { literal, splitMetric } from "../metrics.ts";
import { PALETTE } from "../plot/palette.ts";
import { type DrawSettings, sameAxes } from "../plot/plot.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { h } from "../ui/dom.ts";
import type { TextLook, Theme } from "../ui/theme.ts";
import type { DrawScheduler } from "./draw-scheduler.ts";
import {
  isComposite,
  metricsOf,
  type NestedConfig,
  readUserCharts,
  type UserChartPart,
  type UserChartRow,
  type UserChartSpec,
  userChartRows,
  withRunColors,
} from "./user-spec.ts";
import { createUserView, type UserView } from "./user-view.ts";
import { ErrorNote, VegaBox } from "./vega-box.ts";
import type { PictureLook } from "./vega-view.ts";

/** The input of a user's chart. It is redrawn only when its scene changed. */
interface UserChartScene {
  chart: UserChartSpec;
  parts: readonly UserChartPart[];
  settings: DrawSettings;
  theme: Theme;
  textLook: TextLook;
  /** Configs of runs by id. */
  configs: ReadonlyMap<string, NestedConfig>;
}

/** A user's chart: an element with a Vega view, which is kept while spec and theme stay the same. */
export class UserChart {
  readonly element: HTMLElement & { view?: View };
  /** The whole chart; usually inside `element`, in full screen inside a dialog. */
  readonly body: HTMLElement;
  readonly head: HTMLElement;
  readonly plotElement = h("div", { class: "tb-plot" });
  visible = false;
  #box = new VegaBox<UserView>();
  #errorNote = new ErrorNote();
  #scene: UserChartScene | null = null;
  #drawn: UserChartScene | null = null;

  constructor(
    readonly name: string,
    title: string,
  ) {
    const prefix = name.slice(0, name.length - title.length); // shown in full screen
    const attributes = { class: "tb-metric", role: "heading", "aria-level": "4", title: name };
    const heading = h("div", { ...attributes, "data-prefix": prefix }, title);
    this.plotElement.append(this.#box.element);
    this.head = h("div", { class: "tb-chart-head" }, heading);
    this.body = h("div", { class: "tb-chart-body" }, this.head, this.plotElement, this.#errorNote.element);
    this.element = h("section", { class: "tb-chart", "data-metric": name }, this.body);
  }

  /** Draw the chart for a file, with its name as title. The caller finalizes the view. */
  async picture({ width, height }: PictureLook): Promise<View> {
    if (!this.#scene) throw new Error("Nothing is drawn yet.");
    const { theme } = this.#scene;
    const rows = this.#rows(this.#scene, width);
    const { view, draw, resize } = this.#create(this.#scene, rows, h("div"), {
      text: literal(this.name),
      anchor: "start",
    });
    view.background(PALETTE[theme].background);
    resize(width, height);
    await draw(rows);
    return view;
  }

  /** Set the input. Returns whether the chart must be redrawn. */
  update(scene: UserChartScene): boolean {
    this.#scene = scene;
    return this.stale;
  }

  get stale(): boolean {
    if (!this.#scene || !this.plotElement.clientWidth) return false;
    return !this.#drawn || !sameScene(this.#scene, this.#drawn) || this.#box.size !== this.#currentSize;
  }

  async draw(): Promise<void> {
    const scene = this.#scene;
    if (!scene || !this.visible || !this.plotElement.clientWidth) return;
    this.#drawn = scene;
    try {
      const rows = this.#rows(scene, this.plotElement.clientWidth);
      const canvas = this.#viewFor(scene, rows);
      this.#resize(canvas);
      await canvas.draw(rows);
      this.element.dataset.drawn = String(rows.length);
      this.#errorNote.show(null, this.element, this.name);
    } catch (error) {
      this.#box.size = this.#currentSize; // an error would repeat at any size
      if (this.#scene) this.#errorNote.show(error, this.element, this.name);
    }
  }

  destroy() {
    this.#box.destroy();
    this.#scene = null;
  }

  #rows({ parts, settings, configs }: UserChartScene, width: number): UserChartRow[] {
    return userChartRows(parts, settings, width, configs);
  }

  /** Return the view; a new one when other runs are drawn, whose colours stand in its spec. */
  #viewFor(scene: UserChartScene, rows: readonly UserChartRow[]): UserView {
    const { chart, theme, settings } = scene;
    const colors = JSON.stringify(stylesOf(rows, settings).map(({ label, color }) => [label, color]));
    const inputs = [chart.key, theme, scene.textLook, colors];
    const canvas = this.#box.contentFor(inputs, box => this.#create(scene, rows, box));
    this.element.view = canvas.view;
    return canvas;
  }

  #create(
    { chart, theme, textLook, settings }: UserChartScene,
    rows: readonly UserChartRow[],
    box: HTMLElement,
    title?: object,
  ): UserView {
    const colored = withRunColors(chart.spec, stylesOf(rows, settings));
    const spec = title ? { title, ...colored } : colored;
    return createUserView({ ...chart, spec }, theme, textLook, box);
  }

  #resize({ resize }: UserView) {
    if (this.#box.size === this.#currentSize) return;
    resize(this.plotElement.clientWidth, this.plotElement.clientHeight);
    this.#box.size = this.#currentSize;
  }

  get #currentSize(): string {
    return [this.plotElement.clientWidth, this.plotElement.clientHeight, devicePixelRatio].join();
  }
}

/** The users' charts in one view of a board. */
export class UserCharts {
  #scheduler: DrawScheduler;
  #specs: ReadonlyMap<string, UserChartSpec> = new Map();
  #made = new Map<string, UserChart>();
  #onNew: (chart: UserChart) => void;

  constructor(stage: DrawScheduler, onNew: (chart: UserChart) => void) {
    [this.#scheduler, this.#onNew] = [stage, onNew];
  }

  /** Read the trait `user_charts`; returns the names of the charts. */
  read(trait: unknown): Iterable<string> {
    this.#specs = readUserCharts(trait);
    return this.#specs.keys();
  }

  /** Return the element of a named chart; null if there is no such chart. */
  element(name: string): HTMLElement | null {
    const asked = this.#specs.get(name);
    if (!asked) return null;
    let chart = this.#made.get(name);
    if (!chart) {
      chart = new UserChart(name, splitMetric(name).short);
      this.#made.set(name, chart);
      this.#scheduler.add(chart);
      this.#onNew(chart);
    }
    chart.element.classList.toggle("tb-composite", isComposite(asked));
    return chart.element;
  }

  show(
    metrics: readonly string[],
    partOf: (metric: string) => UserChartPart,
    settings: DrawSettings,
    look: Pick<UserChartScene, "theme" | "textLook">,
    configs: ReadonlyMap<string, NestedConfig>,
  ) {
    for (const [name, own] of this.#made) {
      const chart = this.#specs.get(name);
      if (!chart) continue; // removed, and no longer in the page
      const parts = metricsOf(chart, metrics).map(partOf);
      if (own.update({ chart, parts, settings, ...look, configs })) this.#scheduler.request(own);
    }
  }
}

/** Return the styles of the runs that some rows are of. */
function stylesOf(rows: readonly UserChartRow[], { styles }: DrawSettings): RunStyle[] {
  const drawn = new Set(rows.map(({ run }) => run));
  return [...styles.values()].filter(({ label }) => drawn.has(literal(label)));
}

function sameScene(a: UserChartScene, b: UserChartScene): boolean {
  return (
    a.chart.key === b.chart.key &&
    a.settings === b.settings &&
    a.theme === b.theme &&
    a.textLook === b.textLook &&
    a.configs === b.configs &&
    a.parts.length === b.parts.length &&
    a.parts.every((part, i) => samePart(part, b.parts[i]))
  );
}

function samePart(a: UserChartPart, b: UserChartPart): boolean {
  return a.metric === b.metric && sameAxes(a.axes, b.axes) && sameItems(a.series, b.series);
}
