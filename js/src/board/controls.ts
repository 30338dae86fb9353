import type { ViewState, XAxis } from "../frames/view-state.ts";
import { h, searchField, setText } from "../ui/dom.ts";
import { showFilter } from "../ui/filter.ts";
import { MetricSearch, type SearchActions } from "./metric-search.ts";
import { ViewMenu } from "./view-menu.ts";

const X_AXES: readonly (readonly [XAxis, string])[] = [
  ["step", "Step"],
  ["relative", "Relative time"],
  ["time", "Clock time"],
];

/** Return the weight of the exponential average whose mean age is a number of rows. */
function weightOf(rows: number): number {
  return rows / (rows + 1);
}

function rowsOf(weight: number): number {
  return Math.round(weight / (1 - weight));
}

const NARROW = 680; // px of a board whose header has no room for smoothing and x axis
const NARROWEST = 520; // px of one that has no room for the filter either

/** Smoothing, x axis, metric filter, and a menu of other view settings. */
export class Controls {
  readonly element: HTMLElement;
  /** Stands in the header, whose texts make room: it appears and disappears, and the layout must not move. */
  readonly unzoom = h("button", { type: "button", class: "tb-unzoom tb-button", hidden: "" }, "Reset zoom");
  #state: ViewState;
  #menu: ViewMenu;
  #label: HTMLElement;
  #search: HTMLElement;
  #moved = 0; // how many controls are in the View menu
  #smoothing = h("input", {
    type: "range",
    min: "0",
    max: "0.99",
    step: "0.001",
    class: "tb-smoothing",
    "aria-label": "Smoothing",
  });
  #amount = h("button", { type: "button", class: "tb-number tb-link tb-amount" });
  #xAxis = h("select", { class: "tb-x-axis", "aria-label": "X axis", title: "X axis" });
  #metrics = h("optgroup", { label: "Metrics" });
  #filter = searchField("Filter metrics", "Filter metrics by text or regular expression");
  #listed = "";

  constructor(state: ViewState, onUnzoom: () => void, search: SearchActions, signal: AbortSignal) {
    this.#state = state;
    this.#menu = new ViewMenu(state, signal);
    this.#xAxis.append(...X_AXES.map(([value, name]) => h("option", { value }, name)), this.#metrics);
    this.#label = h("label", {}, h("span", {}, "Smoothing"), this.#smoothing, this.#amount);
    const { element: found } = new MetricSearch(this.#filter, search, signal);
    this.#search = h("div", { class: "tb-search" }, this.#filter, found);
    this.element = h(
      "div",
      { class: "tb-controls" },
      this.#label,
      this.#xAxis,
      this.#search,
      this.#menu.button,
      this.#menu.panel,
    );
    this.#smoothing.addEventListener(
      "input",
      () => state.set("smoothing", rowsOf(this.#smoothing.valueAsNumber)),
      {
        signal,
      },
    );
    this.#amount.addEventListener("click", () => this.#toggleAuto(), { signal });
    this.#xAxis.addEventListener("change", () => state.set("x_axis", this.#xAxis.value), { signal });
    this.#filter.addEventListener("input", () => state.set("metric_filter", this.#filter.value), { signal });
    this.unzoom.addEventListener("click", onUnzoom, { signal });
  }

  /** In a narrow board, move controls into the View menu, so that the header stays one line. */
  fold() {
    const width = this.element.closest<HTMLElement>(".tb-top")?.clientWidth ?? 0;
    const parts = [this.#label, this.#xAxis, this.#search];
    const moved = width === 0 || width >= NARROW ? 0 : width >= NARROWEST ? 2 : 3;
    if (moved === this.#moved) return;
    this.#moved = moved;
    this.#menu.extra.replaceChildren(...parts.slice(0, moved));
    this.element.prepend(...parts.slice(moved));
  }

  update(zoomed: boolean, metrics: readonly string[] = []) {
    this.#showSmoothing(this.#state.get("smoothing"), this.#state.get("auto_smoothing"));
    this.#showAxes(metrics);
    showFilter(this.#filter, this.#state.get("metric_filter"), "Text or regular expression");
    this.unzoom.hidden = !zoomed;
    this.#menu.update();
  }

  #showSmoothing(rows: number, auto: boolean) {
    if (rowsOf(this.#smoothing.valueAsNumber) !== rows) this.#smoothing.value = String(weightOf(rows));
    setText(this.#amount, rows ? weightOf(rows).toFixed(2) : auto ? "auto" : "0");
    const window = `the mean of ${2 * rows + 1} points, ${rows} to each side`;
    const explained = rows
      ? `${weightOf(rows).toFixed(2)}: ${window}; as smooth as an exponential average of this weight`
      : auto
        ? "Lines that are noise are smoothed"
        : "Not smoothed";
    for (const part of [this.#smoothing, this.#amount]) part.title = explained;
    this.#amount.setAttribute(
      "aria-label",
      `Smoothing: ${explained}. Press to ${auto && !rows ? "turn off" : "leave it to the charts"}`,
    );
  }

  /** Leave smoothing to the charts, or turn it off where it is. */
  #toggleAuto() {
    const isAuto = !this.#state.get("smoothing") && this.#state.get("auto_smoothing");
    this.#state.set("auto_smoothing", !isAuto);
    this.#state.set("smoothing", 0);
  }

  #showAxes(metrics: readonly string[]) {
    const chosen = this.#state.get("x_axis");
    const known = X_AXES.some(([value]) => value === chosen) || metrics.includes(chosen);
    const names = known ? metrics : [chosen, ...metrics]; // Python may set a metric that is not logged yet
    const listed = JSON.stringify(names);
    if (listed !== this.#listed) {
      this.#metrics.replaceChildren(...names.map(value => h("option", { value }, value)));
      this.#metrics.hidden = !names.length;
    }
    this.#listed = listed;
    this.#xAxis.value = chosen;
  }
}
