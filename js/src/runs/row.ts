import type { RunEntry } from "../frames/runs-table.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import { setName } from "../ui/cut-name.ts";
import { h, setChildren, setText, swatch } from "../ui/dom.ts";
import type { RunColumn } from "./columns.ts";
import { groupSummary } from "./group-summary.ts";
import { lastSeen, STATE_ICON, UNSEEN_ICON } from "./run-state.ts";
import type { RunGroup } from "./sorting.ts";

interface RowProps {
  columns: readonly RunColumn[];
  now: number;
  shown: boolean;
  active: boolean;
  /** The run's style on the board; null if it is not drawn. */
  style: Pick<RunStyle, "color" | "dash"> | null;
  /** Pixels from the left of the pinned columns. */
  pins: readonly number[];
}

/** Keep a cell `left` pixels from the left when the list is scrolled. */
export function pin(cell: HTMLElement, left: number | undefined) {
  cell.classList.toggle("tb-pinned", left !== undefined);
  cell.style.left = left === undefined ? "" : `${left}px`;
}

/** A run in the grid: check box, line sample, name, state, and one cell per column. */
export class RunRow {
  readonly element: HTMLElement;
  readonly box = h("input", { type: "checkbox", tabindex: "-1", class: "tb-runs-box" });
  readonly more = h(
    "button",
    {
      type: "button",
      tabindex: "-1",
      class: "tb-runs-more",
      "aria-label": "Details",
      title: "Details (Enter)",
    },
    "⋯",
  );
  entry: RunEntry | null = null;
  #line = h("span", { class: "tb-runs-line" });
  #name = h("span", { class: "tb-runs-name" });
  #icon = h("span", { class: "tb-state" });
  #head = h("div", { class: "tb-runs-cell tb-runs-first", role: "gridcell" });
  #cells: HTMLElement[] = [];
  #key = "";
  #editor: HTMLInputElement | null = null;

  constructor(id: string) {
    this.#head.append(this.box, this.#line, this.#name, this.#icon, this.more);
    this.element = h("div", { class: "tb-runs-row", role: "row", id });
  }

  update(entry: RunEntry, index: number, state: RowProps) {
    this.entry = entry;
    const { element } = this;
    element.dataset.run = entry.id;
    element.setAttribute("aria-rowindex", String(index + 2)); // the header is row 1
    element.setAttribute("aria-selected", String(state.shown));
    element.classList.toggle("tb-runs-active", state.active);
    this.box.checked = state.shown;
    this.box.setAttribute("aria-label", `Show ${entry.name}`);
    setName(this.#name, entry.name);
    this.#name.title = `${entry.name}\n${entry.id}`;
    const unseen = lastSeen(entry, state.now);
    setText(this.#icon, unseen ? UNSEEN_ICON : STATE_ICON[entry.state]);
    this.#icon.title = entry.drawn?.error ?? (unseen || entry.state);
    this.#icon.setAttribute("aria-label", unseen || entry.state);
    this.#icon.setAttribute("role", "img");
    this.#icon.dataset.state = unseen ? "gone" : entry.state;
    this.#showLine(state);
    this.#showCells(entry, state);
  }

  /** Show the line sample, which identifies the run where colours repeat. */
  #showLine({ style, shown }: RowProps) {
    const key = JSON.stringify([style?.color, style?.dash, shown]);
    if (key === this.#key) return;
    this.#key = key;
    this.#line.replaceChildren(...(style && shown ? [swatch(style.color, style.dash, 14)] : []));
    this.box.style.accentColor = (shown && style?.color) || "";
  }

  #showCells(entry: RunEntry, { columns, now, pins }: RowProps) {
    const cells = columns.slice(1).map((column, i) => {
      const cell = this.#cells[i] ?? h("div", { class: "tb-runs-cell", role: "gridcell" });
      const value = column.value(entry, now);
      const text = column.text?.(entry, now) || (value === undefined ? "" : column.format(value));
      setName(cell, text);
      if (cell.title !== text) cell.title = text;
      pin(cell, pins[i]);
      cell.classList.toggle("tb-runs-figure", typeof value === "number");
      return cell;
    });
    this.#cells = cells;
    setChildren(this.element, [this.#head, ...cells]);
  }

  get editing(): boolean {
    return this.#editor !== null;
  }

  /** Edit the name in place. `done` receives the new name, or null if it is unchanged. */
  rename(done: (name: string | null) => void) {
    if (this.#editor) return;
    const input = h("input", { class: "tb-runs-rename", "aria-label": "New name", spellcheck: "false" });
    input.value = this.entry?.name ?? "";
    this.#editor = input;
    const finish = (name: string | null) => {
      if (this.#editor !== input) return; // removing the input triggers blur again
      this.#editor = null;
      input.replaceWith(this.#name);
      done(name?.trim() && name.trim() !== this.entry?.name ? name.trim() : null);
    };
    input.addEventListener("keydown", event => {
      event.stopPropagation();
      if (event.key === "Enter") finish(input.value);
      if (event.key === "Escape") finish(null);
    });
    input.addEventListener("blur", () => finish(input.value));
    this.#name.replaceWith(input);
    input.focus();
    input.select();
  }
}

/** A group's header among the runs. */
export class GroupRow {
  readonly element: HTMLElement;
  readonly box = h("input", { type: "checkbox", tabindex: "-1", class: "tb-runs-box" });
  #arrow = h("span", { class: "tb-arrow", "aria-hidden": "true" });
  #line = h("span", { class: "tb-runs-line" });
  #name = h("span", { class: "tb-runs-name" });
  #count = h("span", { class: "tb-count" });
  #head = h("div", { class: "tb-runs-cell tb-runs-first", role: "gridcell" });
  #cells: HTMLElement[] = [];
  #key = "";

  constructor(id: string) {
    this.#head.append(this.#arrow, this.box, this.#line, this.#name, this.#count);
    this.element = h("div", { class: "tb-runs-row tb-runs-group", role: "row", id, "aria-level": "1" });
  }

  update(group: RunGroup, index: number, open: boolean, shown: number, state: RowProps) {
    const { element, box } = this;
    element.dataset.run = `group:${group.key}`; // as the picture of groups names it
    element.setAttribute("aria-rowindex", String(index + 2));
    element.setAttribute("aria-expanded", String(open));
    element.classList.toggle("tb-runs-active", state.active);
    box.checked = shown > 0 && shown === group.members.length;
    box.indeterminate = shown > 0 && shown < group.members.length;
    box.setAttribute("aria-label", `Show all of ${group.label}`);
    this.#arrow.classList.toggle("tb-open", open);
    setName(this.#name, group.label);
    this.#name.title = group.label;
    setText(this.#count, String(group.members.length));
    this.#showCells(group, state);
    const key = JSON.stringify([state.style?.color, state.style?.dash, shown > 0]);
    if (key === this.#key) return;
    this.#key = key;
    this.#line.replaceChildren(
      ...(state.style && shown ? [swatch(state.style.color, state.style.dash, 14)] : []),
    );
  }

  #showCells({ members }: RunGroup, { columns, now, pins }: RowProps) {
    this.#cells = columns.slice(1).map((column, i) => {
      const cell = this.#cells[i] ?? h("div", { class: "tb-runs-cell", role: "gridcell" });
      const { text, title, isNumeric } = groupSummary(column, members, now);
      setText(cell, text);
      cell.title = title;
      cell.classList.toggle("tb-runs-figure", isNumeric);
      pin(cell, pins[i]);
      return cell;
    });
    setChildren(this.element, [this.#head, ...this.#cells]);
  }
}
