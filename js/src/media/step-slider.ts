import { h, setText } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { iconButton } from "./media-dom.ts";

/** Chooses one of the steps at which something was logged. The last one stands for the newest, whatever comes. */
export class StepSlider {
  readonly element = h("div", { class: "tb-media-steps", hidden: "" });
  #range = h("input", { type: "range", min: "0", class: "tb-media-range", "aria-label": "Step" });
  #back = iconButton("back", "Previous step");
  #on = iconButton("on", "Next step");
  #newest = iconButton("newest", "Newest step");
  #text = h("output", { class: "tb-number" });
  #steps: readonly number[] = [];
  #choose: (step: number | null, done: boolean) => void;

  /** `choose` gets the step, or null for the newest, and whether the choice is made or the slider still moves. */
  constructor(choose: (step: number | null, done: boolean) => void, signal: AbortSignal) {
    this.#choose = choose;
    this.element.append(this.#back, this.#range, this.#on, this.#text, this.#newest);
    const pick = (place: number, done: boolean) => {
      const last = this.#steps.length - 1;
      const to = Math.min(last, Math.max(0, place));
      this.#choose(to === last ? null : this.#steps[to], done);
    };
    const on = (element: HTMLElement, event: string, act: () => void) =>
      element.addEventListener(event, act, { signal });
    // by the keyboard each step is a choice of its own, which lasts until the slider is left
    const isLeft = () => !this.element.querySelector(":focus-visible");
    on(this.#range, "input", () => pick(this.#range.valueAsNumber, false));
    on(this.#range, "change", () => pick(this.#range.valueAsNumber, isLeft()));
    on(this.#back, "click", () => pick(this.#range.valueAsNumber - 1, isLeft()));
    on(this.#on, "click", () => pick(this.#range.valueAsNumber + 1, isLeft()));
    on(this.#newest, "click", () => pick(Number.POSITIVE_INFINITY, isLeft()));
    const leave = ({ relatedTarget }: FocusEvent) => {
      if (!this.#steps.length || this.element.contains(relatedTarget as Node | null)) return;
      this.#choose(this.#newest.disabled ? null : this.#steps[this.#range.valueAsNumber], true);
    };
    this.element.addEventListener("focusout", leave, { signal });
  }

  /** Show which step is shown; `following` if it is the newest one because none was chosen. */
  update(steps: readonly number[], at: number, following: boolean) {
    this.#steps = steps;
    const last = steps.length - 1;
    this.element.hidden = last < 1;
    this.#range.max = String(Math.max(0, last));
    this.#range.value = String(at);
    const text = `step ${formatCount(steps[at] ?? 0)}`;
    this.#range.setAttribute("aria-valuetext", `${text}, ${at + 1} of ${steps.length}`);
    setText(this.#text, text);
    this.#back.disabled = at <= 0;
    this.#on.disabled = at >= last;
    this.#newest.disabled = following;
  }
}

/** Return the place of the last step that is not after `step`; the first place if there is none. */
export function placeOfStep(steps: readonly number[], step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
