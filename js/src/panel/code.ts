import { h } from "../dom.ts";
import { formatCount, formatDuration } from "../format.ts";
import type { Requests } from "../requests.ts";
import { verbatim } from "./pairs.ts";
import { Told } from "./told.ts";

const EVERY = 3000; // ms
const DIRTY = "The notebook no longer shows this cell as it ran here";

interface Cell {
  count: number | null;
  source: string | null;
  started: number;
  ended: number | null;
  state: string;
  error: string | null;
  output: string | null;
  /** Why the notebook does not show it as it ran. */
  dirty: string | null;
}

/** The cells that were executed while a run was open, as they were then. */
export class Code extends Told {
  #cells = h("div", { class: "tb-scroll", tabindex: "0", role: "group", "aria-label": "Cells" });
  #shown = "";

  constructor(requests: Requests, signal: AbortSignal) {
    super(requests, EVERY, signal);
    this.element.append(this.said, this.#cells);
    this.clear();
  }

  protected override clear() {
    this.#shown = "";
    this.#cells.replaceChildren();
    this.#cells.hidden = true;
  }

  protected override question(): [string] {
    return ["cells"];
  }

  protected override take(content: Record<string, unknown>): boolean {
    const { cells, earlier } = content as { cells: Cell[]; earlier: number };
    const shown = JSON.stringify([cells, earlier]);
    if (shown !== this.#shown) {
      this.#shown = shown; // else what somebody selects would be gone
      this.#cells.replaceChildren(
        ...(earlier ? [h("div", { class: "tb-minor" }, `${formatCount(earlier)} earlier cells`)] : []),
        ...cells.map(cell => draw(cell)),
      );
    }
    this.#cells.hidden = !cells.length;
    if (!cells.length) this.say(this.running ? "No cell recorded yet." : "No code was recorded.");
    return false;
  }
}

function draw({ count, source, started, ended, state, error, output, dirty }: Cell): HTMLElement {
  const head = h("div", { class: "tb-cell-head" }, h("span", { class: "tb-mono" }, `In [${count ?? " "}]`));
  if (state !== "ok") head.append(h("span", { class: "tb-state", "data-state": STATES[state] ?? "" }, state));
  if (dirty) head.append(h("span", { class: "tb-state", "data-state": "interrupted", title: DIRTY }, dirty));
  if (ended !== null) head.append(h("span", { class: "tb-number" }, lasted(ended - started)));
  const code =
    source === null ? h("div", { class: "tb-minor" }, "Its code was not recorded.") : verbatim(source);
  const cell = h("section", { class: "tb-cell" }, head, code);
  if (error) cell.append(verbatim(error, "tb-danger"));
  if (output) cell.append(verbatim(output, "tb-minor"));
  return cell;
}

/** As runs call them, whose colours they have. */
const STATES: Record<string, string> = { error: "failed", interrupted: "interrupted", running: "running" };

function lasted(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}
