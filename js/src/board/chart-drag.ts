import { h } from "../ui/dom.ts";

const START = 6; // px; less is a click
const EDGE = 0.28; // of a chart's width: dropped there, another chart stands beside it, else they become one

export type Drop = { kind: "before" | "after" | "onto"; chart: string } | { kind: "group"; group: string };

/** Return where a drag over a chart ends, from the pointer's place in it: 0 at its left, 1 at its right. */
export function dropSide(share: number, combines: boolean): "before" | "after" | "onto" {
  const edge = combines ? EDGE : 0.5;
  return share < edge ? "before" : share > 1 - edge ? "after" : "onto";
}

interface DragActions {
  /** Whether the two can be drawn in one chart. */
  combines(dragged: string, onto: string): boolean;
  drop(dragged: string, drop: Drop): void;
}

interface Drag {
  name: string;
  x: number;
  y: number;
  begun: boolean;
  target: HTMLElement | null;
  drop: Drop | null;
}

/** Charts are dragged by their titles: beside another, onto it, or to the heading of a group. */
export class ChartDrag {
  #root: HTMLElement;
  #actions: DragActions;
  #signal: AbortSignal;
  #drag: Drag | null = null;
  #ghost = h("div", { class: "tb-ghost", hidden: "", "aria-hidden": "true" });

  constructor(root: HTMLElement, actions: DragActions, signal: AbortSignal) {
    [this.#root, this.#actions, this.#signal] = [root, actions, signal];
    root.append(this.#ghost);
    signal.addEventListener("abort", () => this.#forget());
    root.ownerDocument.addEventListener("keydown", event => this.#onKey(event), { signal, capture: true });
  }

  attach(handle: HTMLElement, name: string) {
    const on = (type: string, listener: (event: PointerEvent) => void) =>
      handle.addEventListener(type, listener as EventListener, { signal: this.#signal });
    on("pointerdown", event => {
      if (event.button !== 0 || event.pointerType === "touch" || handle.closest("dialog")) return;
      this.#drag = { name, x: event.clientX, y: event.clientY, begun: false, target: null, drop: null };
      handle.setPointerCapture(event.pointerId);
    });
    on("pointermove", event => this.#move(event));
    on("pointerup", () => this.#end());
    on("pointercancel", () => this.#forget());
  }

  #move({ clientX, clientY }: PointerEvent) {
    const drag = this.#drag;
    if (!drag) return;
    if (!drag.begun && Math.hypot(clientX - drag.x, clientY - drag.y) < START) return;
    drag.begun = true;
    this.#root.classList.add("tb-dragging");
    this.#ghost.hidden = false;
    this.#ghost.textContent = drag.name;
    this.#ghost.style.transform = `translate(${clientX + 10}px, ${clientY + 10}px)`;
    this.#aim(drag, clientX, clientY);
  }

  #aim(drag: Drag, x: number, y: number) {
    const root = this.#root.getRootNode() as Document | ShadowRoot;
    const under = root.elementFromPoint(x, y);
    const chart = under?.closest<HTMLElement>(".tb-chart");
    const head = under?.closest<HTMLElement>(".tb-group-head");
    this.#mark(drag, null, null);
    if (chart && this.#root.contains(chart) && chart.dataset.metric !== drag.name) {
      const other = chart.dataset.metric as string;
      const { left, width } = chart.getBoundingClientRect();
      const kind = dropSide((x - left) / width, this.#actions.combines(drag.name, other));
      this.#mark(drag, chart, { kind, chart: other });
    } else if (head && this.#root.contains(head)) {
      const group = head.closest<HTMLElement>(".tb-group")?.dataset.group;
      if (group !== undefined) this.#mark(drag, head, { kind: "group", group });
    }
  }

  #mark(drag: Drag, target: HTMLElement | null, drop: Drop | null) {
    delete drag.target?.dataset.drop;
    [drag.target, drag.drop] = [target, drop];
    if (target && drop) target.dataset.drop = drop.kind;
  }

  #onKey(event: KeyboardEvent) {
    if (event.key !== "Escape" || !this.#drag?.begun) return;
    event.stopPropagation();
    this.#forget();
  }

  #end() {
    const { name = "", begun = false, drop = null } = this.#drag ?? {};
    this.#forget();
    if (begun && drop) this.#actions.drop(name, drop);
  }

  #forget() {
    if (this.#drag) this.#mark(this.#drag, null, null);
    this.#drag = null;
    this.#ghost.hidden = true;
    this.#root.classList.remove("tb-dragging");
  }
}

/** Let a chart be sized at its corner; `onSize` gets the size in pixels while it is dragged. */
export function addResize(
  element: HTMLElement,
  name: string,
  onSize: (width: number, height: number) => void,
  signal: AbortSignal,
) {
  const corner = h("div", { class: "tb-resize", title: `Drag to size ${name}`, "aria-hidden": "true" });
  element.append(corner);
  let start: { x: number; y: number; width: number; height: number } | null = null;
  const on = (type: string, listener: (event: PointerEvent) => void) =>
    corner.addEventListener(type, listener as EventListener, { signal });
  on("pointerdown", event => {
    if (event.button !== 0) return;
    const { width, height } = element.getBoundingClientRect();
    start = { x: event.clientX, y: event.clientY, width, height };
    corner.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  on("pointermove", ({ clientX, clientY }) => {
    if (start) onSize(start.width + clientX - start.x, start.height + clientY - start.y);
  });
  const end = () => {
    start = null;
  };
  on("pointerup", end);
  on("pointercancel", end);
}
