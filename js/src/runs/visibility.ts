import type { Picture } from "../frames/picture.ts";
import type { ViewState } from "../frames/view-state.ts";

export const MOST_DRAWN = 50; // runs that one click adds to a board

/** Which runs are drawn: those of the picture that are not hidden, and those the kernel has been asked for. */
export class Visibility {
  #state: ViewState;
  #drawn: ReadonlySet<string> = new Set();

  constructor(state: ViewState) {
    this.#state = state;
  }

  update(picture: Pick<Picture, "runs">) {
    this.#drawn = new Set(picture.runs.map(({ id }) => id));
  }

  shown(id: string): boolean {
    if (this.#state.get("hidden_runs").includes(id)) return false;
    return this.#drawn.has(id) || this.#state.get("selected_runs").includes(id);
  }

  /** Draws these runs as well; returns how many of them, where they are too many. */
  show(ids: readonly string[]): number {
    const few = ids.filter(id => !this.shown(id)).slice(0, MOST_DRAWN);
    const selected = this.#state.get("selected_runs");
    const asked = few.filter(id => !this.#drawn.has(id) && !selected.includes(id));
    if (asked.length) this.#state.set("selected_runs", [...selected, ...asked]);
    this.#setHidden(this.#state.get("hidden_runs").filter(id => !few.includes(id)));
    return few.length;
  }

  hide(ids: readonly string[]) {
    const gone = new Set(ids);
    const selected = this.#state.get("selected_runs");
    const kept = selected.filter(id => !gone.has(id));
    if (kept.length < selected.length) this.#state.set("selected_runs", kept);
    const hidden = this.#state.get("hidden_runs");
    this.#setHidden([...hidden, ...ids.filter(id => this.#drawn.has(id) && !hidden.includes(id))]);
  }

  toggle(ids: readonly string[]) {
    if (ids.every(id => this.shown(id))) this.hide(ids);
    else this.show(ids);
  }

  /** Draws these alone; those that are alone already, with all others. */
  solo(ids: readonly string[]) {
    const others = [...this.#drawn].filter(id => !ids.includes(id));
    const alone = ids.every(id => this.shown(id)) && !others.some(id => this.shown(id));
    this.show(ids);
    this.#setHidden(alone ? [] : others);
  }

  #setHidden(ids: string[]) {
    if (JSON.stringify(ids) !== JSON.stringify(this.#state.get("hidden_runs"))) {
      this.#state.set("hidden_runs", ids);
    }
  }
}
