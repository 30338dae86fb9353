import { Chart } from "../charts/chart.ts";
import { sameItems } from "../frames/columns.ts";
import type { ViewState } from "../frames/view-state.ts";
import { ownEntry, SYSTEM_GROUP } from "../metrics.ts";
import { h, onResize, setChildren } from "../ui/dom.ts";
import {
  foldedOfThemselves,
  isFolded,
  MANY_CHARTS,
  PINNED_GROUP,
  type Section,
  sectionsOf,
  titleIn,
  toggled,
} from "./chart-layout.ts";
import { type Grid, gridOf, heightOf, parseSize, spansOf } from "./chart-sizes.ts";
import { GroupElement } from "./group-element.ts";

const ROWS_OF_A_PAGE = 4;
const LIT = 1600; // ms for which a chart that was jumped to is lit
const LAYOUT_SETTINGS = ["prefixes", "pinned", "chart_order", "chart_groups", "group_order"] as const;

/** The charts of a board in foldable groups; small groups stand side by side. */
export class ChartGroups {
  readonly element = h("div", { class: "tb-groups" });
  #charts = new Map<string, Chart>();
  #groups = new Map<string, GroupElement>();
  #sections: Section[] = [];
  #inputs: readonly unknown[] = [];
  #foldsItself: ReadonlySet<string> = new Set();
  #pages = new Map<string, number>();
  #grid: Grid = gridOf(0, 1, 0);
  #boxOf: (name: string) => HTMLElement | null = () => null;
  #state: ViewState;
  #signal: AbortSignal;
  #onChart: (chart: Chart) => void;

  constructor(state: ViewState, onChart: (chart: Chart) => void, signal: AbortSignal) {
    [this.#state, this.#onChart, this.#signal] = [state, onChart, signal];
    onResize(this.element, () => this.#place(), signal);
  }

  charts(): Iterable<Chart> {
    return this.#charts.values();
  }

  /** The grid that the charts stand in. */
  get grid(): Grid {
    return this.#grid;
  }

  /** All charts of the board, in its order, also those in folded groups. */
  get names(): string[] {
    return this.#sections.flatMap(({ charts }) => charts);
  }

  get sections(): readonly Section[] {
    return this.#sections;
  }

  sectionOf(name: string): Section | undefined {
    return this.#sections.find(({ charts }) => charts.includes(name));
  }

  /**
   * Show these charts; `boxOf` returns the element of a user's chart. Other charts are kept outside the page until the
   * filter matches them again.
   */
  update(names: readonly string[], boxOf: (name: string) => HTMLElement | null = () => null) {
    this.#boxOf = boxOf;
    const settings = LAYOUT_SETTINGS.map(name => this.#state.get(name));
    const inputs = [...settings, ...names];
    if (!sameItems(inputs, this.#inputs)) {
      const [prefixes, pinned, chart_order, chart_groups, group_order] = settings as never[];
      this.#sections = sectionsOf(names, { prefixes, pinned, chart_order, chart_groups, group_order });
      this.#foldsItself = foldedOfThemselves(this.#sections);
      this.#inputs = inputs;
    }
    this.#place();
  }

  /** Unfold the groups around a chart and scroll to it. */
  jumpTo(name: string) {
    const section = this.sectionOf(name);
    if (!section) return;
    for (const key of [...section.within, section.key]) if (this.#isFolded(key)) this.#toggle(key);
    const size = this.#pageSize(section);
    if (size) this.#pages.set(section.key, Math.floor(section.charts.indexOf(name) / size));
    this.#place();
    const element = this.#boxOf(name) ?? this.#charts.get(name)?.element;
    if (!element) return;
    element.scrollIntoView({ block: "center" });
    element.classList.add("tb-found-chart");
    const timer = setTimeout(() => element.classList.remove("tb-found-chart"), LIT);
    this.#signal.addEventListener("abort", () => clearTimeout(timer));
  }

  #isFolded(key: string): boolean {
    return isFolded(key, this.#folding, this.#foldsItself);
  }

  get #folding() {
    return { collapsed: this.#state.get("collapsed"), expanded: this.#state.get("expanded") };
  }

  #toggle(key: string) {
    const { collapsed, expanded } = toggled(key, this.#folding, this.#foldsItself);
    this.#state.set("expanded", expanded);
    this.#state.set("collapsed", collapsed);
  }

  /** How many charts of a section are shown at once; 0 is all. */
  #pageSize({ charts }: Section): number {
    const size = ROWS_OF_A_PAGE * this.#grid.columns;
    return this.names.length >= MANY_CHARTS && charts.length > size + this.#grid.columns ? size : 0;
  }

  #place() {
    const [columns, height] = [this.#state.get("columns"), this.#state.get("chart_height")];
    const chosen = this.#state.get("shown_metrics").length ? this.names.length : undefined;
    this.#grid = gridOf(this.element.clientWidth, columns, height, chosen);
    const shown = this.#sections.filter(({ within }) => !within.some(key => this.#isFolded(key)));
    const groups = shown.map(section => this.#show(section));
    setChildren(
      this.element,
      groups.map(({ element }) => element),
    );
    this.#span(shown, groups);
  }

  /** The keys of the groups that can be moved, in their order. */
  get #order(): string[] {
    const fixed = [PINNED_GROUP, SYSTEM_GROUP];
    return [...new Set(this.#sections.map(({ group }) => group))].filter(key => !fixed.includes(key));
  }

  /** Fill a section's element. */
  #show(section: Section): GroupElement {
    const group = this.#groups.get(section.key) ?? this.#newGroup(section.key);
    const open = !this.#isFolded(section.key);
    const order = this.#order;
    const at = section.depth || order.length < 2 ? -1 : order.indexOf(section.group);
    const unnamed = section.key === "" && open && order.length === 1 && this.#sections[0] === section;
    group.update(section, open, { at, of: order.length }, unnamed);
    // what folds by itself is many, and is made when it is unfolded
    if (open || !this.#foldsItself.has(section.key))
      setChildren(
        group.grid,
        this.#page(section, group).map(name => this.#box(name, section)),
      );
    if (!open) group.pager.hidden = true;
    return group;
  }

  /** Return the charts of a section that its page shows. */
  #page(section: Section, group: GroupElement): readonly string[] {
    const { key, charts } = section;
    const size = this.#pageSize(section);
    const last = size ? Math.ceil(charts.length / size) - 1 : 0;
    const page = Math.min(this.#pages.get(key) ?? 0, last);
    group.showPage(page, last, size, charts.length);
    return size ? charts.slice(page * size, (page + 1) * size) : charts;
  }

  #box(name: string, section: Section): HTMLElement {
    const own = this.#boxOf(name);
    const chart = own ? null : this.#chart(name);
    chart?.setTitle(titleIn(name, section));
    const element = own ?? (chart as Chart).element;
    const { columns, rows } = this.#sizeOf(name);
    const sized = columns > 1 || rows > 1;
    element.style.gridColumn = columns > 1 ? `span ${columns}` : "";
    element.style.gridRow = rows > 1 ? `span ${rows}` : "";
    if (sized) element.style.setProperty("--tb-plot-height", `${heightOf(this.#grid, rows)}px`);
    else element.style.removeProperty("--tb-plot-height");
    return element;
  }

  #sizeOf(name: string) {
    const sizes = this.#state.get("chart_sizes");
    const usual = this.#boxOf(name)?.dataset.size; // of a panel of media
    const { columns, rows } = parseSize(ownEntry(sizes, name) ?? usual);
    return { columns: Math.min(columns, this.#grid.columns), rows };
  }

  /** Give each section its columns. */
  #span(shown: readonly Section[], groups: readonly GroupElement[]) {
    const { columns, width, height } = this.#grid;
    const { style } = this.element;
    style.setProperty("--tb-columns", String(columns));
    style.setProperty("--tb-column", `${width}px`);
    style.setProperty("--tb-plot-height", `${height}px`);
    const parents = new Set(shown.flatMap(({ within }) => within));
    const isWhole = ({ key }: Section) => parents.has(key) || (key === SYSTEM_GROUP && !this.#isFolded(key));
    const counts = shown.map((section, i) => {
      if (isWhole(section)) return columns;
      if (this.#isFolded(section.key)) return 1;
      if (groups[i].grid.querySelector(".tb-composite")) return columns; // it spans the row
      return section.charts.reduce((sum, name) => sum + this.#sizeOf(name).columns, 0);
    });
    const starts = shown.map(
      ({ depth, key }, i) => key === SYSTEM_GROUP || (i > 0 && depth < shown[i - 1].depth),
    );
    const alone = this.#order.length === 1 && this.names.length === 1;
    const high = alone && !this.#state.get("chart_height") ? Math.round((columns * width * 9) / 32) : 0;
    for (const [i, span] of spansOf(counts, columns, starts).entries()) {
      const { element } = groups[i];
      const wide = alone && i === 0 ? columns : span;
      element.style.gridColumn = starts[i] ? `1 / span ${wide}` : `span ${wide}`;
      element.classList.toggle("tb-widened", wide > counts[i]);
      if (high > height && i === 0) element.style.setProperty("--tb-plot-height", `${high}px`);
      else element.style.removeProperty("--tb-plot-height");
    }
  }

  #chart(metric: string): Chart {
    let chart = this.#charts.get(metric);
    if (!chart) {
      chart = new Chart(metric);
      this.#charts.set(metric, chart);
      this.#onChart(chart);
    }
    return chart;
  }

  #newGroup(key: string): GroupElement {
    const actions = {
      toggle: () => this.#toggle(key),
      move: (by: number) => this.#move(key, by),
      turn: (by: number) => {
        this.#pages.set(key, (this.#pages.get(key) ?? 0) + by);
        this.#place();
      },
    };
    const group = new GroupElement(key, actions, this.#signal);
    this.#groups.set(key, group);
    return group;
  }

  #move(key: string, by: number) {
    const order = this.#order;
    const at = order.indexOf(this.#sections.find(section => section.key === key)?.group ?? key);
    const [to, other] = [at + by, order[at + by]];
    if (other === undefined) return;
    [order[at], order[to]] = [other, order[at]];
    this.#state.set("group_order", order);
  }
}
