import type { Requests } from "../../frames/requests.ts";
import { h } from "../../ui/dom.ts";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { codeBlock } from "./definition-list.ts";
import { SingleDocumentTab } from "./single-document-tab.ts";

const DIRTY_HELP = "The cell has changed in the notebook since it ran";

interface Cell {
  count: number | null;
  source: string | null;
  started: number;
  ended: number | null;
  state: string;
  error: string | null;
  output: string | null;
  /** How the cell in the notebook differs from what ran; null if it does not. */
  dirty: string | null;
}

const CELLS = {
  ask: "cells",
  label: "Code",
  every: 3000,
  nothing: ["No code recorded yet.", "No code was recorded."] as [string, string],
};

/** The script that opened a run, and the cells executed during it, as they were then. */
export class CodeTab extends SingleDocumentTab {
  constructor(requests: Requests, signal: AbortSignal) {
    super(CELLS, requests, signal);
  }

  protected override cellElement(content: Record<string, unknown>): HTMLElement[] {
    const { cells, earlier, script } = content as {
      cells: Cell[];
      earlier: number;
      script?: { path: string; source: string } | null;
    };
    const more = h("div", { class: "tb-minor" }, `${formatCount(earlier)} earlier cells`);
    return [
      ...(script ? [section(h("span", { class: "tb-mono" }, script.path), codeBlock(script.source))] : []),
      ...(earlier ? [more] : []),
      ...cells.map(cell => draw(cell)),
    ];
  }
}

function section(title: HTMLElement, ...content: HTMLElement[]): HTMLElement {
  return h("section", { class: "tb-cell" }, h("div", { class: "tb-cell-head" }, title), ...content);
}

function draw({ count, source, started, ended, state, error, output, dirty }: Cell): HTMLElement {
  const cell = section(h("span", { class: "tb-mono" }, `In [${count ?? " "}]`));
  const head = cell.firstElementChild as HTMLElement;
  if (state !== "ok")
    head.append(h("span", { class: "tb-state", "data-state": RUN_STATE_OF[state] ?? "" }, state));
  if (dirty)
    head.append(h("span", { class: "tb-state", "data-state": "interrupted", title: DIRTY_HELP }, dirty));
  if (ended !== null) head.append(h("span", { class: "tb-number" }, formatElapsed(ended - started)));
  cell.append(
    source === null ? h("div", { class: "tb-minor" }, "The code was not recorded.") : codeBlock(source),
  );
  if (error) cell.append(codeBlock(error, "tb-danger"));
  if (output) cell.append(codeBlock(output, "tb-minor"));
  return cell;
}

/** The run state whose colour an execution state shares. */
const RUN_STATE_OF: Record<string, string> = {
  error: "failed",
  interrupted: "interrupted",
  running: "running",
};

function formatElapsed(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}
