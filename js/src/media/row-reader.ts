import { h, setText } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { iconButton } from "./media-dom.ts";

/** A row of a table, as the reader shows it. */
interface WholeRow {
  place: number;
  total: number;
  cells: readonly { name: string; text: string }[];
}

/** The cells of one row of a table whole, with their lines, under the table: texts are longer than a row is high. */
export class RowReader {
  readonly element = h("div", { class: "tb-media-reader", role: "group", "aria-label": "Row", hidden: "" });
  #title = h("span", { class: "tb-number" });
  #previous = iconButton("back", "Previous row");
  #next = iconButton("on", "Next row");
  #body = h("div", { class: "tb-media-reader-body", tabindex: "0" });
  #shown = "";

  /** `turn` is told by how many rows to go on, or null to close. */
  constructor(turn: (by: number | null) => void, signal: AbortSignal) {
    const close = iconButton("close", "Close (Esc)");
    const on = (button: HTMLElement, by: number | null) =>
      button.addEventListener("click", () => turn(by), { signal });
    on(this.#previous, -1);
    on(this.#next, 1);
    on(close, null);
    const head = h("div", { class: "tb-media-reader-head" }, this.#title, this.#previous, this.#next, close);
    this.element.append(head, this.#body);
  }

  show(row: WholeRow | null) {
    this.element.hidden = row === null;
    if (!row) return;
    const { place, total, cells } = row;
    setText(this.#title, `Row ${formatCount(place + 1)} of ${formatCount(total)}`);
    this.#previous.disabled = place === 0;
    this.#next.disabled = place === total - 1;
    const shown = JSON.stringify(cells);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const parts = cells.flatMap(({ name, text }) => [
      h("div", { role: "term" }, name),
      h("div", { role: "definition" }, text),
    ]);
    this.#body.replaceChildren(...parts);
    this.#body.scrollTop = 0;
  }
}
