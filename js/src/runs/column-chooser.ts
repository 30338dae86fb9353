import { setName } from "../ui/cut-name.ts";
import { button, h, searchField, setChildren } from "../ui/dom.ts";
import { parseFilter } from "../ui/filter.ts";
import type { RunColumn, RunColumns } from "./columns.ts";

const MOST_BOXES = 60; // check boxes; the search finds the others

/** Check boxes for the columns of the runs panel, with a search by text or regular expression. */
export class ColumnChooser {
  readonly element = h("div", {
    class: "tb-chooser",
    role: "group",
    "aria-label": "Columns",
    hidden: "",
  });
  #search = searchField("Find a column");
  #reset = button("Default");
  #list = h("div", { class: "tb-chooser-list" });
  #more = h("div", { class: "tb-minor" });
  #boxes = new Map<string, HTMLElement>();
  #columns: RunColumns | null = null;
  #shown: readonly string[] = [];

  /** `choose` receives the column ids in order; an empty list means the default columns. */
  constructor(
    private readonly choose: (ids: string[]) => void,
    private readonly signal: AbortSignal,
  ) {
    this.element.append(
      h("div", { class: "tb-panel-line" }, this.#search, this.#reset),
      this.#list,
      this.#more,
    );
    this.#search.addEventListener("input", () => this.#draw(), { signal });
    this.#reset.addEventListener("click", () => choose([]), { signal });
  }

  update(columns: RunColumns, shown: readonly RunColumn[]) {
    const ids = shown.map(({ id }) => id);
    if (this.#columns === columns && JSON.stringify(ids) === JSON.stringify(this.#shown)) return;
    [this.#columns, this.#shown] = [columns, ids];
    if (!this.element.hidden) this.#draw();
  }

  toggle(): boolean {
    this.element.hidden = !this.element.hidden;
    if (!this.element.hidden) {
      this.#draw();
      this.#search.focus();
    }
    return !this.element.hidden;
  }

  #draw() {
    if (!this.#columns) return;
    const { matches } = parseFilter(this.#search.value);
    const found = this.#columns.all().filter(({ id, title }) => matches(id) || matches(title));
    const chosen = new Set(this.#shown);
    const first = [...found.filter(({ id }) => chosen.has(id)), ...found.filter(({ id }) => !chosen.has(id))];
    const boxes = first.slice(0, MOST_BOXES).map(column => {
      const label = this.#boxes.get(column.id) ?? this.#newBox(column);
      (label.firstElementChild as HTMLInputElement).checked = chosen.has(column.id);
      return label;
    });
    this.#boxes = new Map(first.slice(0, MOST_BOXES).map(({ id }, i) => [id, boxes[i]]));
    setChildren(this.#list, boxes);
    this.#more.textContent =
      found.length > MOST_BOXES ? `${found.length - MOST_BOXES} more: search for them` : "";
    this.#more.hidden = found.length <= MOST_BOXES;
  }

  #newBox({ id, title, kind }: RunColumn): HTMLElement {
    const box = h("input", { type: "checkbox" });
    const change = () =>
      this.choose(
        box.checked
          ? [...this.#shown, id].filter(one => one !== "name")
          : this.#shown.filter(one => one !== id && one !== "name"),
      );
    box.addEventListener("change", change, { signal: this.signal });
    const kinds = { run: "", config: "config", summary: "last", min: "", max: "" };
    const name = h("span", {});
    setName(name, title);
    return h(
      "label",
      { class: "tb-choice", title: id },
      box,
      name,
      h("span", { class: "tb-minor" }, kinds[kind]),
    );
  }
}
