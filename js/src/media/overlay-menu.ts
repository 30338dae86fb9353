import { h, labelled } from "../ui/dom.ts";
import { Popover, popoverButton } from "../ui/popover.ts";
import { icon } from "./media-dom.ts";
import { classColor, type OverlaySettings } from "./overlays.ts";

const MOST_CLASSES = 100; // listed

/** The button and the menu that switch masks and boxes on and off, by layer and by class. */
export class OverlayMenu {
  readonly button: HTMLButtonElement;
  readonly popover: Popover;
  #settings: OverlaySettings;

  constructor(settings: OverlaySettings, signal: AbortSignal) {
    this.#settings = settings;
    this.popover = new Popover("dialog", "Masks and boxes", signal);
    this.popover.panel.classList.add("tb-media-overlay-menu");
    this.button = popoverButton(this.popover, "Masks and boxes", "tb-media-button", icon("layers"));
    this.button.hidden = true;
    const open = () => {
      this.#fill();
      this.popover.toggle(this.button);
    };
    this.button.addEventListener("click", open, { signal });
  }

  #fill() {
    const { layers, leastScore } = this.#settings;
    const groups = [...layers].map(([layer, labels]) => {
      const classes = [...labels].filter(Boolean).sort().slice(0, MOST_CLASSES);
      return h(
        "div",
        { role: "group", "aria-label": layer },
        this.#check(layer, layer),
        h("div", { class: "tb-media-classes" }, ...classes.map(label => this.#check(label, layer, label))),
      );
    });
    const score = h("input", { type: "range", min: "0", max: "1", step: "0.05", class: "tb-media-range" });
    score.value = String(leastScore);
    score.addEventListener("input", () => this.#settings.setLeastScore(score.valueAsNumber)); // removed with the menu
    this.popover.panel.replaceChildren(...groups, labelled("Least score", score));
  }

  #check(text: string, layer: string, label?: string): HTMLElement {
    const box = h("input", { type: "checkbox" });
    box.checked = this.#settings.isOn(layer, label) && (label === undefined || this.#settings.isOn(layer));
    box.addEventListener("change", () => {
      this.#settings.set(box.checked, layer, label); // removed with the menu
      if (label === undefined) this.#fill();
    });
    const dot = h("span", { class: "tb-dot", "aria-hidden": "true" });
    dot.style.background = classColor(text);
    return h("label", { class: "tb-check" }, box, ...(label === undefined ? [] : [dot]), h("span", {}, text));
  }
}
