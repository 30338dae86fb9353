import { h } from "../dom.ts";
import { formatCount, formatDuration } from "../format.ts";
import type { Requests } from "../requests.ts";
import { verbatim } from "./pairs.ts";
import { Told } from "./told.ts";

const EVERY = 3000; // ms

interface Cell {
  count: number | null;
  source: string | null;
  started: number;
  ended: number | null;
  state: string;
  error: string | null;
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
    const { cells, earlier, dirty } = content as { cells: Cell[]; earlier: number; dirty: unknown[] };
    const shown = JSON.stringify([cells, earlier, dirty]);
    if (shown !== this.#shown) {
      this.#shown = shown; // else what somebody selects would be gone
      this.#cells.replaceChildren(
        ...dirty.map(why => h("div", { class: "tb-notice", role: "note" }, String(why))),
        ...(earlier ? [h("div", { class: "tb-minor" }, `${formatCount(earlier)} earlier cells`)] : []),
        ...cells.map(cell => draw(cell)),
      );
    }
    this.#cells.hidden = !cells.length && !dirty.length;
    if (!cells.length) this.say(this.running ? "No cell recorded yet." : "No code was recorded.");
    return false;
  }
}

function draw({ count, source, started, ended, state, error }: Cell): HTMLElement {
  const head = h("div", { class: "tb-cell-head" }, h("span", { class: "tb-mono" }, `In [${count ?? " "}]`));
  if (state !== "ok") head.append(h("span", { class: "tb-state", "data-state": STATES[state] ?? "" }, state));
  if (ended !== null) head.append(h("span", { class: "tb-number" }, lasted(ended - started)));
  const code =
    source === null ? h("div", { class: "tb-minor" }, "Its code was not recorded.") : verbatim(source);
  const cell = h("section", { class: "tb-cell" }, head, code);
  if (error) cell.append(verbatim(error, "tb-danger"));
  return cell;
}

/** As runs call them, whose colours they have. */
const STATES: Record<string, string> = { error: "failed", interrupted: "interrupted", running: "running" };

function lasted(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(seconds < 1 ? 2 : 1)} s` : formatDuration(seconds);
}
