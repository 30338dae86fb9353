import { h, setText } from "./dom.ts";
import { parseFilter } from "./filter.ts";
import type { ViewState, XAxis } from "./view-state.ts";

const X_AXES: Record<XAxis, string> = { step: "Step", relative: "Relative time", time: "Clock time" };

/** Smoothing, x axis and filter: each shows its trait and sets it. */
export class Controls {
  readonly element: HTMLElement;
  #state: ViewState;
  #smoothing = h("input", {
    type: "range",
    min: "0",
    max: "20",
    step: "1",
    class: "tb-smoothing",
    "aria-label": "Smoothing",
  });
  #amount = h("output", { class: "tb-number" });
  #xAxis = h("select", { class: "tb-x-axis", "aria-label": "X axis", title: "X axis" });
  #filter = h("input", {
    type: "search",
    class: "tb-filter",
    placeholder: "Filter metrics",
    "aria-label": "Filter metrics by text or regular expression",
    spellcheck: "false",
  });
  #unzoom = h("button", { type: "button", class: "tb-unzoom", hidden: "" }, "Reset zoom");

  constructor(state: ViewState, onUnzoom: () => void, signal: AbortSignal) {
    this.#state = state;
    for (const [value, name] of Object.entries(X_AXES)) this.#xAxis.append(h("option", { value }, name));
    const label = h(
      "label",
      { title: "Average over neighbouring points" },
      h("span", {}, "Smoothing"),
      this.#smoothing,
      this.#amount,
    );
    this.element = h("div", { class: "tb-controls" }, this.#unzoom, label, this.#xAxis, this.#filter);
    this.#smoothing.addEventListener("input", () => state.set("smoothing", this.#smoothing.valueAsNumber), {
      signal,
    });
    this.#xAxis.addEventListener("change", () => state.set("x_axis", this.#xAxis.value as XAxis), { signal });
    this.#filter.addEventListener("input", () => state.set("metric_filter", this.#filter.value), { signal });
    this.#unzoom.addEventListener("click", onUnzoom, { signal });
    // A notebook in command mode takes keys for its own: arrows move to another cell, "a" adds one, "dd" deletes one.
    for (const control of [this.#smoothing, this.#xAxis]) control.dataset.lmSuppressShortcuts = "true"; // JupyterLab
    this.element.addEventListener("keydown", event => event.stopPropagation(), { signal });
  }

  update(zoomed: boolean) {
    const smoothing = String(this.#state.get("smoothing"));
    this.#smoothing.value = smoothing;
    setText(this.#amount, smoothing);
    this.#xAxis.value = this.#state.get("x_axis");
    const text = this.#state.get("metric_filter");
    if (this.#filter.value !== text) this.#filter.value = text;
    const { problem } = parseFilter(text);
    this.#filter.setAttribute("aria-invalid", String(problem !== null));
    this.#filter.title = problem
      ? `Not a regular expression, so searched as text: ${problem}`
      : "Text or regular expression";
    this.#unzoom.hidden = !zoomed;
  }
}
