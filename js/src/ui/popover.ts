import { h } from "./dom.ts";

const GAP = 4; // px to the button and to the edges of the window

/** A panel below a button and above everything else. Escape, an outside click, or scrolling closes it. */
export class Popover {
  readonly panel: HTMLElement;
  #button: HTMLElement | null = null;
  #signal: AbortSignal;
  #closing: AbortController | null = null;

  constructor(role: string, label: string, signal: AbortSignal) {
    this.panel = h("div", { class: "tb-popover", popover: "manual", role, "aria-label": label, hidden: "" });
    this.#signal = signal;
    signal.addEventListener("abort", () => this.close());
  }

  get isOpen(): boolean {
    return this.#closing !== null;
  }

  /** Open below this button, or close if it is open there. */
  toggle(button: HTMLElement) {
    const again = this.#button === button;
    this.close();
    if (!again) this.#open(button);
  }

  close() {
    if (!this.#closing) return;
    this.#closing.abort();
    this.#closing = null;
    const within =
      this.panel.contains(this.panel.ownerDocument.activeElement) || this.panel.matches(":focus-within");
    this.#button?.setAttribute("aria-expanded", "false");
    if (within) this.#button?.focus();
    this.#button = null;
    this.panel.hidePopover?.(); // in a browser without popovers the panel is a plain box
    this.panel.hidden = true;
  }

  #open(button: HTMLElement) {
    this.#button = button;
    this.#closing = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#closing.signal]);
    const outside = (event: Event) => {
      const path = event.composedPath();
      if (!path.includes(this.panel) && !path.includes(button)) this.close();
    };
    window.addEventListener("pointerdown", outside, { signal, capture: true });
    window.addEventListener("scroll", outside, { signal, capture: true, passive: true });
    window.addEventListener("resize", () => this.close(), { signal });
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // keep an enclosing dialog open
      event.stopPropagation();
      this.close();
    };
    this.panel.addEventListener("keydown", onKey, { signal });
    button.addEventListener("keydown", onKey, { signal });
    button.setAttribute("aria-expanded", "true");
    this.panel.hidden = false;
    this.panel.showPopover?.();
    this.#place(button);
    this.panel.querySelector<HTMLElement>("button, input:checked, input, select")?.focus();
  }

  /** Place below the button, aligned left, or aligned right if it would leave the window. */
  #place(button: HTMLElement) {
    const [anchor, panel] = [button.getBoundingClientRect(), this.panel.getBoundingClientRect()];
    const right = anchor.left + panel.width + GAP > innerWidth;
    const left = Math.max(GAP, right ? anchor.right - panel.width : anchor.left);
    const below = anchor.bottom + GAP;
    const fits = below + panel.height + GAP <= innerHeight;
    const top = fits ? below : Math.max(GAP, anchor.top - GAP - panel.height);
    Object.assign(this.panel.style, { left: `${Math.round(left)}px`, top: `${Math.round(top)}px` });
  }
}

/** Create a button that opens a popover. */
export function popoverButton(
  popover: Popover,
  label: string,
  className: string,
  ...content: (Node | string)[]
) {
  const kind = popover.panel.getAttribute("role") as string;
  const attributes = { type: "button", class: className, "aria-haspopup": kind, "aria-expanded": "false" };
  return h("button", { ...attributes, "aria-label": label, title: label }, ...content);
}
