import { Chart } from "./chart.ts";
import { h, setChildren, setText } from "./dom.ts";
import type { ViewState } from "./view-state.ts";

const DEFAULT_TITLE = "metrics";

export function splitMetric(metric: string): { group: string; short: string } {
  const slash = metric.indexOf("/");
  return slash < 0
    ? { group: "", short: metric }
    : { group: metric.slice(0, slash), short: metric.slice(slash + 1) || metric };
}

/** Metrics by group, in order of first appearance, the default group first. */
export function groupMetrics(metrics: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>([["", []]]);
  for (const metric of metrics) {
    const { group } = splitMetric(metric);
    const members = groups.get(group);
    if (members) members.push(metric);
    else groups.set(group, [metric]);
  }
  if (!groups.get("")?.length) groups.delete("");
  return groups;
}

interface Group {
  element: HTMLElement;
  heading: HTMLElement;
  button: HTMLButtonElement;
  title: HTMLElement;
  count: HTMLElement;
  grid: HTMLElement;
}

/** The charts of a board, in collapsible groups. */
export class Groups {
  readonly element = h("div", { class: "tb-groups" });
  #charts = new Map<string, Chart>();
  #groups = new Map<string, Group>();
  #state: ViewState;
  #signal: AbortSignal;
  #onChart: (chart: Chart) => void;

  constructor(state: ViewState, onChart: (chart: Chart) => void, signal: AbortSignal) {
    [this.#state, this.#onChart, this.#signal] = [state, onChart, signal];
  }

  charts(): Iterable<Chart> {
    return this.#charts.values();
  }

  /**
   * Shows exactly these metrics, those that have a box of their `own` in that. Charts of others stay, out of the page, for
   * when the filter lets them back.
   */
  update(metrics: readonly string[], own: (name: string) => HTMLElement | null = () => null) {
    const groups = groupMetrics(metrics);
    const collapsed = new Set(this.#state.get("collapsed"));
    const elements = [...groups].map(([name, members]) => {
      const group = this.#groups.get(name) ?? this.#newGroup(name);
      const open = !collapsed.has(name);
      group.heading.hidden = name === "" && groups.size === 1 && open;
      setText(group.count, String(members.length));
      group.button.setAttribute("aria-expanded", String(open));
      group.grid.hidden = !open;
      setChildren(
        group.grid,
        members.map(metric => own(metric) ?? this.#chart(metric).element),
      );
      return group.element;
    });
    setChildren(this.element, elements);
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

  #newGroup(name: string): Group {
    const title = h("span", { class: "tb-group-name" }, name || DEFAULT_TITLE);
    const count = h("span", { class: "tb-count" });
    const arrow = h("span", { class: "tb-arrow", "aria-hidden": "true" });
    const button = h("button", { type: "button", class: "tb-group-toggle" }, arrow, title, count);
    const heading = h("div", { class: "tb-group-head", role: "heading", "aria-level": "3" }, button);
    const grid = h("div", { class: "tb-grid" });
    const element = h("section", { class: "tb-group", "data-group": name }, heading, grid);
    button.addEventListener("click", () => this.#state.toggle("collapsed", name), { signal: this.#signal });
    const group = { element, heading, button, title, count, grid };
    this.#groups.set(name, group);
    return group;
  }
}
