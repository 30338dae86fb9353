import { SYSTEM_GROUP } from "../metrics.ts";
import { h, setText } from "../ui/dom.ts";
import { PINNED_GROUP, type Section } from "./chart-layout.ts";

interface GroupActions {
  toggle(): void;
  move(by: number): void;
  turn(by: number): void;
}

/** The element of a group of charts: a heading that folds it, its charts, and a pager where there are many. */
export class GroupElement {
  readonly element: HTMLElement;
  readonly grid = h("div", { class: "tb-grid" });
  readonly pager = h("div", { class: "tb-pager", role: "navigation", hidden: "" });
  #heading: HTMLElement;
  #name = h("span", { class: "tb-group-name" });
  #count = h("span", { class: "tb-count" });
  #toggle: HTMLButtonElement;
  #earlier: HTMLButtonElement;
  #later: HTMLButtonElement;
  #moves: HTMLElement;
  #shown = h("span", { class: "tb-number" });
  #back: HTMLButtonElement;
  #on: HTMLButtonElement;

  constructor(key: string, actions: GroupActions, signal: AbortSignal) {
    const arrow = h("span", { class: "tb-arrow", "aria-hidden": "true" });
    this.#toggle = h("button", { type: "button", class: "tb-group-toggle" }, arrow, this.#name, this.#count);
    const button = (text: string, className: string, act: (by: number) => void, by: number) => {
      const made = h("button", { type: "button", class: className }, text);
      const run = () => {
        act(by);
        made.focus(); // moving an element in the page removes the focus
      };
      made.addEventListener("click", run, { signal });
      return made;
    };
    [this.#earlier, this.#later] = [
      button("↑", "tb-move", actions.move, -1),
      button("↓", "tb-move", actions.move, 1),
    ];
    this.#moves = h("span", { class: "tb-moves" }, this.#earlier, this.#later);
    [this.#back, this.#on] = [
      button("‹", "tb-move", actions.turn, -1),
      button("›", "tb-move", actions.turn, 1),
    ];
    for (const [each, name] of [[this.#back, "Previous charts"] as const, [this.#on, "Next charts"] as const])
      setName(each, name);
    this.pager.append(this.#back, this.#shown, this.#on);
    this.#heading = h(
      "div",
      { class: "tb-group-head" },
      h("div", { role: "heading", "aria-level": "3" }, this.#toggle),
      this.#moves,
    );
    this.element = h(
      "section",
      { class: "tb-group", "data-group": key },
      this.#heading,
      this.grid,
      this.pager,
    );
    this.#toggle.addEventListener("click", actions.toggle, { signal });
  }

  /** `place` says where it stands among the groups that can be moved; -1 if it cannot. */
  update(section: Section, open: boolean, place: { at: number; of: number }, unnamed: boolean) {
    const { key, label, depth, count } = section;
    setText(this.#name, label);
    this.#name.title = label;
    setText(this.#count, String(count));
    this.element.dataset.depth = String(depth);
    this.element.classList.toggle("tb-folded", !open);
    this.#heading.hidden = unnamed;
    this.#toggle.setAttribute("aria-expanded", String(open));
    this.grid.hidden = !open;
    this.#moves.hidden = place.at < 0 || key === SYSTEM_GROUP || key === PINNED_GROUP;
    this.#earlier.disabled = place.at <= 0;
    this.#later.disabled = place.at < 0 || place.at >= place.of - 1;
    setName(this.#earlier, `Move ${label} up`);
    setName(this.#later, `Move ${label} down`);
  }

  /** Show which page of charts is shown; `size` is 0 where all are. */
  showPage(page: number, last: number, size: number, count: number) {
    this.pager.hidden = !size;
    if (!size) return;
    setText(this.#shown, `${page * size + 1}–${Math.min(count, (page + 1) * size)} of ${count}`);
    this.#back.disabled = page === 0;
    this.#on.disabled = page === last;
  }
}

function setName(button: HTMLButtonElement, name: string) {
  button.setAttribute("aria-label", name);
  button.title = name;
}
