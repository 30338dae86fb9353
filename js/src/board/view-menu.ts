import type { ViewState, ViewTraits } from "../frames/view-state.ts";
import { h, setText } from "../ui/dom.ts";
import { Popover, popoverButton } from "../ui/popover.ts";

const RESET_VALUES = {
  smoothing_kind: "mean",
  x_scale: "linear",
  y_scale: "linear",
  clip_outliers: false,
  link_x: true,
  columns: 0,
  chart_height: 0,
  group_order: [],
} satisfies Partial<ViewTraits>;
type Name = keyof typeof RESET_VALUES;

const SCALES = [
  ["linear", "Linear"],
  ["log", "Log"],
] as const;

let radioGroups = 0; // radio group names must be unique in the page

/** The menu of view settings that are changed less often. */
export class ViewMenu {
  readonly button: HTMLButtonElement;
  readonly panel: HTMLElement;
  #state: ViewState;
  #signal: AbortSignal;
  #updates: (() => void)[] = [];

  constructor(state: ViewState, signal: AbortSignal) {
    [this.#state, this.#signal] = [state, signal];
    const popover = new Popover("dialog", "View", signal);
    this.panel = popover.panel;
    this.panel.classList.add("tb-view-menu");
    this.button = popoverButton(popover, "View", "tb-menu-button", "View", h("span", { class: "tb-caret" }));
    this.button.addEventListener("click", () => popover.toggle(this.button), { signal });
    const reset = h("button", { type: "button", class: "tb-link" }, "Reset to defaults");
    reset.addEventListener("click", () => this.#reset(), { signal });
    this.panel.append(
      this.#choice("Smoothing", "smoothing_kind", [
        ["mean", "Mean"],
        ["exponential", "Exponential"],
      ]),
      this.#choice("X scale", "x_scale", SCALES),
      this.#choice("Y scale", "y_scale", SCALES),
      this.#choice("Columns", "columns", [
        [0, "Auto"],
        ...[1, 2, 3, 4, 5, 6].map(n => [n, String(n)] as const),
      ]),
      this.#choice("Height", "chart_height", [
        [0, "Auto"],
        [120, "S"],
        [180, "M"],
        [260, "L"],
        [400, "XL"],
      ]),
      this.#check("Clip outliers", "clip_outliers", "Exclude extreme values from the y axis"),
      this.#check("Zoom charts together", "link_x", "Zoom x in all charts with the same x axis"),
      reset,
    );
  }

  update() {
    for (const sync of this.#updates) sync();
  }

  #choice<N extends Name>(label: string, name: N, options: readonly (readonly [ViewTraits[N], string])[]) {
    const group = `tb-view-${radioGroups++}`;
    const segments = options.map(([value, text]) => {
      const input = h("input", { type: "radio", name: group, value: String(value) });
      input.addEventListener("change", () => this.#state.set(name, value), { signal: this.#signal });
      this.#updates.push(() => {
        input.checked = this.#state.get(name) === value;
      });
      return h("label", {}, input, h("span", {}, text));
    });
    const shown = h("span", {}, label);
    const heights = options.map(([value]) => value);
    if (name === "chart_height")
      this.#updates.push(() => {
        const height = this.#state.get(name);
        setText(shown, heights.includes(height) ? label : `${label} ${height} px`);
      });
    const box = h("div", { class: "tb-segments", role: "radiogroup", "aria-label": label }, ...segments);
    return h("div", { class: "tb-setting" }, shown, box);
  }

  #check(label: string, name: "clip_outliers" | "link_x", title: string) {
    const input = h("input", { type: "checkbox", "data-trait": name });
    input.addEventListener("change", () => this.#state.set(name, input.checked), { signal: this.#signal });
    this.#updates.push(() => {
      input.checked = this.#state.get(name);
    });
    return h("label", { class: "tb-check", title }, input, h("span", {}, label));
  }

  #reset() {
    for (const [name, value] of Object.entries(RESET_VALUES)) this.#state.set(name as Name, value as never);
  }
}
