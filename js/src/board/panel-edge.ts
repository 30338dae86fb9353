import type { ViewState } from "../frames/view-state.ts";
import { button, h } from "../ui/dom.ts";

const [LEAST, FULL] = [280, 6000]; // px, as the setting's range
const CHARTS = 320; // px that charts beside the panel need at least
const STEP = 40; // px of an arrow key

/** The edge of the panel, which is dragged to make it wider, and a button that gives it the whole width. */
export class PanelEdge {
  readonly element = h("div", {
    class: "tb-side-edge",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "vertical",
    "aria-label": "Width of the panel",
    title: "Drag to make the panel wider; double-click for the usual width",
  });
  readonly wide = button("⇔", "tb-panel-wide");
  #side: HTMLElement;
  #state: ViewState;

  constructor(side: HTMLElement, state: ViewState, signal: AbortSignal) {
    [this.#side, this.#state] = [side, state];
    const on = <Name extends keyof HTMLElementEventMap>(
      name: Name,
      act: (event: HTMLElementEventMap[Name]) => void,
    ) => this.element.addEventListener(name, act, { signal });
    on("pointerdown", event => {
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
    });
    on("pointermove", event => {
      if (this.element.hasPointerCapture(event.pointerId))
        this.#set(event.clientX - side.getBoundingClientRect().left);
    });
    on("dblclick", () => this.#state.set("panel_width", 0));
    on("keydown", event => {
      const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
      if (!by) return;
      event.preventDefault();
      this.#set(side.clientWidth + by);
    });
    this.wide.addEventListener(
      "click",
      () => this.#state.set("panel_width", this.#state.get("panel_width") === FULL ? 0 : FULL),
      { signal },
    );
  }

  update() {
    const width = this.#state.get("panel_width");
    const body = this.#side.parentElement;
    const isFull = width > 0 && body !== null && width > body.clientWidth - CHARTS;
    this.#side.classList.toggle("tb-side-full", isFull);
    body?.style.setProperty("--tb-panel-width", width && !isFull ? `${width}px` : "");
    this.wide.setAttribute("aria-pressed", String(isFull));
    const what = isFull ? "The usual width" : "The whole width, above the charts";
    this.wide.setAttribute("aria-label", what);
    this.wide.title = what;
    this.element.setAttribute("aria-valuenow", String(Math.round(this.#side.clientWidth)));
  }

  #set(width: number) {
    this.#state.set("panel_width", Math.round(Math.max(LEAST, Math.min(FULL, width))));
  }
}
