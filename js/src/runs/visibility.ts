import type { Picture } from "../frames/picture.ts";
import type { ViewState } from "../frames/view-state.ts";

export const MOST_DRAWN = 50; // runs that one click can add to a board

/** Tracks which runs are drawn: runs in the picture that are not hidden, and runs requested from the kernel. */
export class Visibility {
  #state: ViewState;
  #drawn: ReadonlySet<string> = new Set();
  #hidden = setOfTrait();
  #selected = setOfTrait();
  /** Runs that are hidden by the filter, which stay so when all others are shown again. */
  kept: ReadonlySet<string> = new Set();

  constructor(state: ViewState) {
    this.#state = state;
  }

  update(picture: Pick<Picture, "runs">) {
    this.#drawn = new Set(picture.runs.map(({ id }) => id));
  }

  /** The runs in the picture, hidden or not. */
  get drawn(): ReadonlySet<string> {
    return this.#drawn;
  }

  shown(id: string): boolean {
    if (this.#hidden(this.#state.get("hidden_runs")).has(id)) return false;
    return this.#drawn.has(id) || this.#selected(this.#state.get("selected_runs")).has(id);
  }

  /** Show these runs, at most `MOST_DRAWN` of them. Returns how many were added. */
  show(ids: readonly string[]): number {
    const few = ids.filter(id => !this.shown(id)).slice(0, MOST_DRAWN);
    const selected = this.#state.get("selected_runs");
    const asked = few.filter(id => !this.#drawn.has(id) && !selected.includes(id));
    const hidden = this.#state.get("hidden_runs").filter(id => !few.includes(id));
    this.set(hidden, [...selected, ...asked]);
    return few.length;
  }

  hide(ids: readonly string[]) {
    const gone = new Set(ids);
    const hidden = this.#state.get("hidden_runs");
    this.set(
      [...hidden, ...ids.filter(id => this.#drawn.has(id) && !hidden.includes(id))],
      this.#state.get("selected_runs").filter(id => !gone.has(id)),
    );
  }

  toggle(ids: readonly string[]) {
    if (ids.every(id => this.shown(id))) this.hide(ids);
    else this.show(ids);
  }

  /** Show only these runs; if they are shown alone already, show all others again. */
  solo(ids: readonly string[]) {
    const all = new Set([...this.#drawn, ...this.#state.get("selected_runs")]);
    const others = [...all].filter(id => !ids.includes(id));
    const alone = ids.every(id => this.shown(id)) && !others.some(id => this.shown(id));
    this.show(ids);
    this.set(alone ? [...this.kept] : others, this.#state.get("selected_runs"));
  }

  /** Set which runs are hidden and which are requested, as far as they change. */
  set(hidden: readonly string[], selected: readonly string[]) {
    this.#setTrait("selected_runs", selected);
    this.#setTrait("hidden_runs", hidden);
  }

  #setTrait(name: "hidden_runs" | "selected_runs", ids: readonly string[]) {
    if (JSON.stringify(ids) !== JSON.stringify(this.#state.get(name))) this.#state.set(name, [...ids]);
  }
}

/** Return the set of a trait's items, the same one until the trait is set. */
function setOfTrait() {
  let known: { of: readonly string[]; items: ReadonlySet<string> } = { of: [], items: new Set() };
  return (of: readonly string[]): ReadonlySet<string> => {
    if (of !== known.of) known = { of, items: new Set(of) };
    return known.items;
  };
}
