import { Chart } from "../charts/chart.ts";
import type { ViewState } from "../frames/view-state.ts";
import { groupMetrics, SYSTEM_GROUP, splitMetric } from "../metrics.ts";
import { h, onResize, setChildren, setText } from "../ui/dom.ts";

const DEFAULT_TITLE = "metrics";

/** Sort groups by the chosen order; unplaced groups follow in order of appearance, the system group is last. */
export function orderGroups(names: readonly string[], order: readonly string[]): string[] {
  const placed = [...new Set(order)].filter(name => names.includes(name));
  const all = [...placed, ...names.filter(name => !placed.includes(name))];
  const own = all.filter(name => name !== SYSTEM_GROUP);
  return own.length < all.length ? [...own, SYSTEM_GROUP] : own;
}

const LEAST_WIDTH = 264; // px of a chart
const GAP = 20; // px; as in board.css

/** Return how many charts fit side by side, unless a number was chosen. */
export function columnsIn(width: number, asked: number): number {
  return asked || Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
}

/**
 * Return the columns that each group spans: one per chart, so that small groups share a row. A group of one chart
 * also takes a single column left over before the next row.
 */
export function spansOf(counts: readonly number[], columns: number): number[] {
  const spans = counts.map(count => Math.min(count, columns));
  let free = columns;
  for (const [i, span] of spans.entries()) {
    if (span > free) {
      if (free === 1 && counts[i - 1] === 1) spans[i - 1]++;
      free = columns;
    }
    free = free - span || columns;
  }
  return spans;
}

interface GroupElements {
  element: HTMLElement;
  heading: HTMLElement;
  button: HTMLButtonElement;
  count: HTMLElement;
  earlier: HTMLButtonElement;
  later: HTMLButtonElement;
  grid: HTMLElement;
}

/** The charts of a board in collapsible groups; small groups stand side by side. */
export class ChartGroups {
  readonly element = h("div", { class: "tb-groups" });
  #charts = new Map<string, Chart>();
  #groups = new Map<string, GroupElements>();
  #shown: string[] = [];
  #state: ViewState;
  #signal: AbortSignal;
  #onChart: (chart: Chart) => void;

  constructor(state: ViewState, onChart: (chart: Chart) => void, signal: AbortSignal) {
    [this.#state, this.#onChart, this.#signal] = [state, onChart, signal];
    onResize(this.element, () => this.#layOut(), signal);
  }

  charts(): Iterable<Chart> {
    return this.#charts.values();
  }

  /**
   * Show these metrics; `boxOf` returns the element of a user's chart. Charts of other metrics are kept outside the
   * page until the filter matches them again.
   */
  update(metrics: readonly string[], boxOf: (name: string) => HTMLElement | null = () => null) {
    const groups = groupMetrics(metrics);
    const collapsed = new Set(this.#state.get("collapsed"));
    this.#shown = orderGroups([...groups.keys()], this.#state.get("group_order"));
    const own = this.#shown.filter(name => name !== SYSTEM_GROUP);
    const elements = this.#shown.map((name, i) => {
      const members = groups.get(name) as string[];
      const group = this.#groups.get(name) ?? this.#newGroup(name);
      const open = !collapsed.has(name);
      group.heading.hidden = name === "" && own.length === 1 && open;
      setText(group.count, String(members.length));
      group.button.setAttribute("aria-expanded", String(open));
      group.earlier.disabled = i === 0 || i >= own.length;
      group.later.disabled = i >= own.length - 1;
      (group.earlier.parentElement as HTMLElement).hidden = own.length < 2 || name === SYSTEM_GROUP;
      group.grid.hidden = !open;
      setChildren(
        group.grid,
        members.map(metric => boxOf(metric) ?? this.#chart(metric).element),
      );
      return group.element;
    });
    setChildren(this.element, elements);
    this.#layOut();
  }

  #layOut() {
    const columns = columnsIn(this.element.clientWidth, this.#state.get("columns"));
    const height = this.#state.get("chart_height");
    const { style } = this.element;
    style.setProperty("--tb-columns", String(columns));
    style.setProperty("--tb-plot-height", height ? `${height}px` : "auto");
    style.setProperty("--tb-plot-ratio", height ? "auto" : "16 / 9");
    style.setProperty("--tb-wide-ratio", height ? "auto" : "32 / 9");
    const system = this.#groups.get(SYSTEM_GROUP);
    if (system) system.element.style.gridColumn = "1 / -1"; // always on a row of its own
    const groups = this.#shown
      .map(name => this.#groups.get(name) as GroupElements)
      .filter(group => group !== system);
    const counts = groups.map(
      // a composite chart spans the row
      ({ grid }) => (grid.querySelector(".tb-composite") ? columns : grid.children.length),
    );
    const alone = counts.length === 1 && counts[0] === 1;
    for (const [i, span] of (alone ? [columns] : spansOf(counts, columns)).entries()) {
      const { element } = groups[i];
      element.style.gridColumn = `span ${span}`;
      element.classList.toggle("tb-widened", span > counts[i]);
    }
  }

  #chart(metric: string): Chart {
    let chart = this.#charts.get(metric);
    if (!chart) {
      chart = new Chart(metric, splitMetric(metric).short);
      this.#charts.set(metric, chart);
      this.#onChart(chart);
    }
    return chart;
  }

  #newGroup(name: string): GroupElements {
    const label = name === SYSTEM_GROUP ? "system" : name || DEFAULT_TITLE;
    const title = h("span", { class: "tb-group-name" }, label);
    const count = h("span", { class: "tb-count" });
    const arrow = h("span", { class: "tb-arrow", "aria-hidden": "true" });
    const button = h("button", { type: "button", class: "tb-group-toggle" }, arrow, title, count);
    const move = (text: string, what: string, by: number) => {
      const attributes = {
        type: "button",
        class: "tb-move",
        "aria-label": `Move ${label} ${what}`,
        title: `Move ${what}`,
      };
      const mover = h("button", attributes, text);
      mover.addEventListener("click", () => this.#move(name, by, mover), { signal: this.#signal });
      return mover;
    };
    const [earlier, later] = [move("↑", "up", -1), move("↓", "down", 1)];
    const moving = h("span", { class: "tb-moves" }, earlier, later);
    const heading = h(
      "div",
      { class: "tb-group-head" },
      h("div", { role: "heading", "aria-level": "3" }, button),
      moving,
    );
    const grid = h("div", { class: "tb-grid" });
    const element = h("section", { class: "tb-group", "data-group": name }, heading, grid);
    button.addEventListener("click", () => this.#state.toggle("collapsed", name), { signal: this.#signal });
    const group = { element, heading, button, count, earlier, later, grid };
    this.#groups.set(name, group);
    return group;
  }

  #move(name: string, by: number, button: HTMLButtonElement) {
    const order = [...this.#shown];
    const at = order.indexOf(name);
    const [to, other] = [at + by, order[at + by]];
    if (other === undefined) return;
    [order[at], order[to]] = [other, name];
    this.#state.set("group_order", order);
    button.focus(); // moving an element in the page removes the focus
  }
}
