import { h, setChildren } from "../dom.ts";

const BEYOND = 6; // rows above and below those in view, so that a quick scroll shows no gap

/** A long list of rows of one height, of which only those in view are in the page. */
export class VirtualRows {
  readonly element = h("div", { class: "tb-runs-rows", role: "rowgroup" });
  #height: number;
  #scroller: HTMLElement;
  #rows = new Map<string, HTMLElement>();
  #count = 0;

  /** `scroller` is what scrolls them, under a head of one row. */
  constructor(scroller: HTMLElement, height: number) {
    [this.#scroller, this.#height] = [scroller, height];
  }

  /** `draw` gets the element that the row with this key has already. */
  update(keys: readonly string[], draw: (index: number, element: HTMLElement | undefined) => HTMLElement) {
    const [first, end] = this.window(keys.length);
    this.#count = keys.length;
    this.element.style.height = `${keys.length * this.#height}px`;
    const rows = new Map<string, HTMLElement>();
    for (let index = first; index < end; index++) {
      const row = draw(index, this.#rows.get(keys[index]));
      row.style.transform = `translateY(${index * this.#height}px)`;
      rows.set(keys[index], row);
    }
    this.#rows = rows;
    setChildren(this.element, [...rows.values()]);
  }

  /** The rows in view, as far as layout has told; a page that lays nothing out shows a screenful. */
  window(count: number): [first: number, end: number] {
    const { scrollTop, clientHeight } = this.#scroller;
    const fits = Math.ceil((clientHeight || 400) / this.#height);
    const first = Math.max(0, Math.min(Math.floor(scrollTop / this.#height), count - fits) - BEYOND);
    return [first, Math.min(count, first + fits + 2 * BEYOND)];
  }

  /** Whole rows that fit, for a page up or down. */
  get page(): number {
    return Math.max(1, Math.floor((this.#scroller.clientHeight || 400) / this.#height) - 2);
  }

  /** Scrolls as little as needed to have a row in view. */
  reveal(index: number) {
    if (index < 0 || index >= this.#count) return;
    const top = index * this.#height;
    const room = this.#scroller.clientHeight - this.#height; // under the head
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#height > this.#scroller.scrollTop + room) {
      this.#scroller.scrollTop = top + this.#height - room;
    }
  }
}
