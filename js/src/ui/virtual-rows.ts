import { h, setChildren } from "./dom.ts";

const BEYOND = 6; // rows above and below those in view, so that a quick scroll shows no gap

/** A long list of rows of one height, of which only those in view are in the page. */
export class VirtualRows {
  readonly element: HTMLElement;
  #height: number;
  #scroller: HTMLElement;
  #head: number;
  #count = 0;

  /** `scroller` is what scrolls them, under a head of so many rows. */
  constructor(scroller: HTMLElement, height: number, head = 0, attributes: Record<string, string> = {}) {
    [this.#scroller, this.#height, this.#head] = [scroller, height, head];
    this.element = h("div", attributes);
  }

  update(count: number, draw: (index: number) => HTMLElement) {
    const [first, end] = this.window(count);
    this.#count = count;
    this.element.style.height = `${count * this.#height}px`;
    const rows: HTMLElement[] = [];
    for (let index = first; index < end; index++) {
      const row = draw(index);
      row.style.transform = `translateY(${index * this.#height}px)`;
      rows.push(row);
    }
    setChildren(this.element, rows);
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
    const { clientHeight } = this.#scroller;
    return Math.max(1, Math.floor((clientHeight || 400) / this.#height) - 1 - this.#head);
  }

  /** Scrolls as little as needed to have a row in view. */
  reveal(index: number) {
    if (index < 0 || index >= this.#count) return;
    const top = index * this.#height;
    const room = this.#scroller.clientHeight - this.#head * this.#height;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#height > this.#scroller.scrollTop + room) {
      this.#scroller.scrollTop = top + this.#height - room;
    }
  }
}
