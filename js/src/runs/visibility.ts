import type { Picture } from "../frames/picture.ts";
import type { ViewState } from "../frames/view-state.ts";

export const MOST_DRAWN = 50; // runs that one click can add to a board

/** Tracks which runs are drawn: runs in the picture that are not hidden, and runs requested from the kernel. */
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

  /** Show these runs, at most `MOST_DRAWN` of them. Returns how many were added. */
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

  /** Show only these runs; if they are shown alone already, show all others again. */
  solo(ids: readonly string[]) {
    const all = new Set([...this.#drawn, ...this.#state.get("selected_runs")]);
    const others = [...all].filter(id => !ids.includes(id));
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
