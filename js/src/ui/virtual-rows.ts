import { h, setChildren } from "./dom.ts";

const BEYOND = 6; // rows above and below the visible ones, so that fast scrolling shows no gap

/** A long list of rows of equal height that keeps only the visible ones in the page. */
export class VirtualRows {
  readonly element: HTMLElement;
  #height: number;
  #scroller: HTMLElement;
  #head: number;
  #count = 0;

  /** `scroller` is the scrolling element; `head` is how many row heights its sticky header takes. */
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

  /** Make room for rows that come before those in sight, which stay in sight. */
  grow(count: number) {
    this.#count += count;
    this.element.style.height = `${this.#count * this.#height}px`;
    this.#scroller.scrollTop += count * this.#height;
  }

  /** Return the range of visible rows; without a layout, one screenful. */
  window(count: number): [first: number, end: number] {
    const { scrollTop, clientHeight } = this.#scroller;
    const fits = Math.ceil((clientHeight || 400) / this.#height);
    const first = Math.max(0, Math.min(Math.floor(scrollTop / this.#height), count - fits) - BEYOND);
    return [first, Math.min(count, first + fits + 2 * BEYOND)];
  }

  /** How many whole rows Page Up and Page Down move. */
  get page(): number {
    const { clientHeight } = this.#scroller;
    return Math.max(1, Math.floor((clientHeight || 400) / this.#height) - 1 - this.#head);
  }

  /** Scroll as little as needed to show a row. */
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
