import { h, setChildren } from "../ui/dom.ts";
import { parseFilter } from "../ui/filter.ts";
import { MANY_CHARTS } from "./chart-layout.ts";

const MOST_FOUND = 12;

/** Rank names that match a filter: those whose last part begins with it come first. */
export function findMetrics(names: readonly string[], text: string): string[] {
  const filter = parseFilter(text);
  const start = text.toLowerCase();
  const last = (name: string) => name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const rank = (name: string) => Number(!last(name).startsWith(start));
  return text ? names.filter(name => filter.matches(name)).sort((a, b) => rank(a) - rank(b)) : [];
}

export interface SearchActions {
  /** All charts of the board, whatever the filter. */
  names(): readonly string[];
  jump(name: string): void;
}

/** A list under the filter of a board of many charts: choosing a metric jumps to its chart. */
export class MetricSearch {
  readonly element = h("div", {
    class: "tb-popover tb-found",
    role: "listbox",
    "aria-label": "Jump to",
    hidden: "",
  });
  #field: HTMLInputElement;
  #actions: SearchActions;
  #chosen = -1;
  #found: readonly string[] = [];

  constructor(field: HTMLInputElement, actions: SearchActions, signal: AbortSignal) {
    [this.#field, this.#actions] = [field, actions];
    field.addEventListener("input", () => this.#show(), { signal });
    field.addEventListener("focus", () => this.#show(), { signal });
    field.addEventListener("blur", () => this.#hide(), { signal });
    field.addEventListener("keydown", event => this.#onKey(event), { signal });
    // before the field loses the focus
    this.element.addEventListener("pointerdown", event => this.#onPointer(event), { signal });
  }

  #show() {
    const names = this.#actions.names();
    this.#found = names.length < MANY_CHARTS ? [] : findMetrics(names, this.#field.value);
    this.#choose(-1);
    const shown = this.#found.slice(0, MOST_FOUND).map((name, i) => {
      const label = { class: "tb-menu-item", role: "option", "data-metric": name, title: name };
      const item = h("div", label, name);
      item.id = `${this.#field.id || "tb-found"}-${i}`;
      return item;
    });
    const rest = this.#found.length - shown.length;
    if (rest > 0) shown.push(h("div", { class: "tb-menu-status" }, `${rest} more`));
    setChildren(this.element, shown);
    this.element.hidden = !shown.length;
  }

  #hide() {
    this.element.hidden = true;
  }

  #onKey(event: KeyboardEvent) {
    if (this.element.hidden) return;
    const last = Math.min(this.#found.length, MOST_FOUND) - 1;
    if (event.key === "ArrowDown") this.#choose(Math.min(last, this.#chosen + 1));
    else if (event.key === "ArrowUp") this.#choose(Math.max(-1, this.#chosen - 1));
    else if (event.key === "Enter" && this.#chosen >= 0) this.#jump(this.#found[this.#chosen]);
    else if (event.key === "Escape") this.#hide();
    else return;
    event.preventDefault();
  }

  #onPointer(event: PointerEvent) {
    event.preventDefault();
    const item = (event.target as HTMLElement).closest<HTMLElement>("[data-metric]");
    if (item) this.#jump(item.dataset.metric as string);
  }

  #choose(at: number) {
    this.#chosen = at;
    const items = [...this.element.querySelectorAll<HTMLElement>("[data-metric]")];
    for (const [i, item] of items.entries()) item.setAttribute("aria-selected", String(i === at));
  }

  #jump(name: string) {
    this.#hide();
    this.#field.blur();
    this.#actions.jump(name);
  }
}
