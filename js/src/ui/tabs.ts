import { h } from "./dom.ts";

let tabLists = 0;

/** A tab list with a single tab stop. A click, an arrow key, Home or End selects a tab. */
export class Tabs<Name extends string> {
  readonly element: HTMLElement;
  #tabs: ReadonlyMap<Name, HTMLButtonElement>;

  constructor(
    names: Readonly<Record<Name, string>>,
    label: string,
    choose: (name: Name) => void,
    signal: AbortSignal,
  ) {
    const id = `tb-tab-${++tabLists}`;
    this.element = h("div", { class: "tb-tabs", role: "tablist", "aria-label": label });
    this.#tabs = new Map(
      (Object.entries(names) as [Name, string][]).map(([name, title]) => {
        const attributes = { type: "button", class: "tb-tab", role: "tab", id: `${id}-${name}` };
        return [name, h("button", attributes, title)];
      }),
    );
    const all = [...this.#tabs];
    this.element.append(...this.#tabs.values());
    const at = (event: Event) => all.findIndex(([, tab]) => tab === event.target);
    this.element.addEventListener("click", event => at(event) >= 0 && choose(all[at(event)][0]), { signal });
    const onKey = (event: KeyboardEvent) => {
      const last = all.length - 1;
      const moves: Record<string, number> = {
        ArrowRight: at(event) === last ? 0 : at(event) + 1,
        ArrowLeft: at(event) > 0 ? at(event) - 1 : last,
        Home: 0,
        End: last,
      };
      if (at(event) < 0 || !Object.hasOwn(moves, event.key)) return;
      event.preventDefault();
      const [name, tab] = all[moves[event.key]];
      choose(name);
      tab.focus();
    };
    this.element.addEventListener("keydown", onKey, { signal });
  }

  /** Make an element the panel of a tab. */
  panel(name: Name, element: HTMLElement): HTMLElement {
    element.setAttribute("role", "tabpanel");
    element.setAttribute("aria-labelledby", this.tab(name).id);
    return element;
  }

  tab(name: Name): HTMLElement {
    return this.#tabs.get(name) as HTMLElement;
  }

  update(chosen: Name | "") {
    const stop = this.#tabs.has(chosen as Name) ? chosen : this.#tabs.keys().next().value;
    for (const [name, tab] of this.#tabs) {
      tab.setAttribute("aria-selected", String(name === chosen));
      tab.tabIndex = name === stop ? 0 : -1;
    }
  }
}
