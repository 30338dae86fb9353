import { BUSY_AFTER, NoAnswer, type Requests } from "../../frames/requests.ts";
import type { RunEntry } from "../../frames/runs-table.ts";
import type { ViewState } from "../../frames/view-state.ts";

/** The changes of a run that its details, or a row of the runs panel, ask for. */
export interface RunEdits {
  rename(entry: RunEntry, name: string): void;
  tag(entry: RunEntry, tags: string[]): void;
  note(entry: RunEntry, notes: string): void;
  remove(entry: RunEntry): void;
  color(entry: RunEntry, color: string | null): void;
}

/** Return the changes as questions to the kernel. `tell` is told a refusal or a delay, and "" when a change is done. */
export function runEdits(state: ViewState, requests: Requests, tell: (text: string) => void): RunEdits {
  const ask = (act: string, { id, name }: RunEntry, fields: Record<string, unknown> = {}) => {
    const onLate = () => tell(`The kernel is busy: ${act} “${name}” when the cell ends`);
    requests.ask(act, { run: id, ...fields }, onLate, BUSY_AFTER).then(
      () => tell(""),
      (problem: unknown) => {
        if (!(problem instanceof NoAnswer)) throw problem;
        tell(`Could not ${act} “${name}”: ${problem.message}`);
      },
    );
  };
  return {
    rename: (entry, name) => {
      if (name) ask("rename", entry, { name });
      else tell(`Could not rename “${entry.name}”: a run needs a name`);
    },
    tag: (entry, tags) => ask("tag", entry, { tags }),
    note: (entry, notes) => ask("note", entry, { notes }),
    remove: entry => ask("delete", entry),
    color: ({ id }, color) => {
      const { [id]: _, ...colors } = state.get("run_colors");
      state.set("run_colors", color === null ? colors : { ...colors, [id]: color });
    },
  };
}
