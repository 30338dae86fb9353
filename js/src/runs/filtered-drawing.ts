import type { RunEntry } from "../frames/runs-table.ts";
import type { ViewState } from "../frames/view-state.ts";
import { MOST_DRAWN, type Visibility } from "./visibility.ts";

/**
 * While `draw_filtered` is on, keeps hidden and selected runs such that those are drawn that pass the filter. Runs
 * are shown again only where they begin to pass: one that is hidden by hand meanwhile stays so, and a view with an older
 * picture of the runs does not undo what another one hid.
 */
export class FilteredDrawing {
  /** How many runs pass that are not drawn, because no more are asked for. */
  left = 0;
  #state: ViewState;
  #visibility: Visibility;
  #filter = ""; // by which runs are drawn; "" while all are
  #hid: ReadonlySet<string> = new Set();
  #showed: ReadonlySet<string> = new Set();
  #asked: ReadonlySet<string> = new Set(); // of the kernel, not by hand

  constructor(state: ViewState, visibility: Visibility) {
    [this.#state, this.#visibility] = [state, visibility];
  }

  /** `listed` returns the runs that pass in the order of the list: of too many the first are drawn. */
  update(
    entries: readonly RunEntry[],
    matches: readonly RunEntry[],
    listed: () => readonly RunEntry[] = () => matches,
  ) {
    const filter = this.#state.get("draw_filtered") ? this.#state.get("run_filter").trim() : "";
    const wasOn = this.#filter !== "";
    if (filter !== this.#filter) this.#forgetHands();
    this.#filter = filter;
    if (filter) this.#follow(entries, matches, listed);
    else if (wasOn) this.#release();
  }

  #follow(entries: readonly RunEntry[], matches: readonly RunEntry[], listed: () => readonly RunEntry[]) {
    const [hidden, selected] = [this.#state.get("hidden_runs"), this.#state.get("selected_runs")];
    const drawn = new Set([...this.#visibility.drawn, ...selected]);
    const passing = new Set(matches.map(({ id }) => id));
    const known = new Set(hidden);
    const failing = entries.map(({ id }) => id).filter(id => !passing.has(id));
    const out = failing.filter(id => drawn.has(id) || known.has(id));
    const newlyOut = out.filter(id => !known.has(id));
    const isNew = (id: string) => passing.has(id) && !this.#showed.has(id);
    const kept = hidden.filter(id => !isNew(id));
    const keptHidden = new Set(kept);

    const dropped = new Set(failing.filter(id => this.#asked.has(id)));
    const asked = [...this.#asked].filter(id => !dropped.has(id));
    const isWanted = ({ id }: RunEntry) => !drawn.has(id) && !keptHidden.has(id) && !this.#asked.has(id);
    const wanted = matches.filter(isWanted).length;
    const room = Math.max(0, MOST_DRAWN - asked.filter(id => drawn.has(id)).length);
    const next = wanted && room ? (wanted > room ? listed() : matches).filter(isWanted).slice(0, room) : [];
    const ids = next.map(({ id }) => id);

    // before the traits, whose listeners come here again
    [this.#hid, this.#showed, this.#asked] = [new Set(out), passing, new Set([...asked, ...ids])];
    this.#visibility.kept = this.#hid;
    this.left = wanted - ids.length;
    this.#visibility.set([...kept, ...newlyOut], [...selected.filter(id => !dropped.has(id)), ...ids]);
  }

  /** Show and ask again for the runs that pass another filter. */
  #forgetHands() {
    const selected = new Set(this.#state.get("selected_runs"));
    this.#showed = new Set();
    this.#asked = new Set([...this.#asked].filter(id => selected.has(id)));
  }

  #release() {
    const [hid, asked] = [this.#hid, this.#asked];
    [this.#hid, this.#showed, this.#asked, this.left] = [new Set(), new Set(), new Set(), 0];
    this.#visibility.kept = this.#hid;
    const without = (name: "hidden_runs" | "selected_runs", gone: ReadonlySet<string>) =>
      this.#state.get(name).filter(id => !gone.has(id));
    this.#visibility.set(without("hidden_runs", hid), without("selected_runs", asked));
  }
}
