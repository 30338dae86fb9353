import { h } from "./dom.ts";

/** What can be shown in full screen: a chart, or a run's details. */
export interface Enlargeable {
  /** The place of `body` in the page. */
  element: HTMLElement;
  body: HTMLElement;
  /** Contains the button that gets the focus back. */
  head: HTMLElement;
}

/** A full-window dialog that shows one element, with all its controls working. */
export class FullScreen {
  readonly element = h("dialog", { class: "tb-fullscreen" });
  #shown: Enlargeable | null = null;
  #focusAfter: HTMLElement | null = null;

  constructor(signal: AbortSignal) {
    this.element.addEventListener("close", () => this.#putBack(), { signal });
    // A click on the padding of the dialog, or on the backdrop
    this.element.addEventListener("click", event => event.target === this.element && this.close(), {
      signal,
    });
    signal.addEventListener("abort", () => this.close());
  }

  toggle(shown: Enlargeable, label: string) {
    const again = this.#shown === shown;
    this.close();
    if (!again) this.#show(shown, label);
  }

  close() {
    if (this.element.open) this.element.close();
    this.#putBack();
  }

  #show(shown: Enlargeable, label: string) {
    this.#shown = shown;
    this.#focusAfter = shown.head.querySelector("button");
    const { height } = shown.element.getBoundingClientRect();
    shown.element.style.minHeight = `${height}px`; // keeps the layout while the body is away
    const close = h("button", { type: "button", class: "tb-close", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.close(), { once: true });
    this.element.setAttribute("aria-label", label);
    this.element.replaceChildren(shown.body, close);
    this.element.showModal();
  }

  #putBack() {
    if (!this.#shown) return;
    this.#shown.element.append(this.#shown.body);
    this.#shown.element.style.minHeight = "";
    this.#shown = null;
    this.#focusAfter?.focus();
    this.element.replaceChildren();
  }
}
