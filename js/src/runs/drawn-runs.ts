/** The choice of the runs that a board draws: its own, the newest, the first by a column, all, or selected ones. */

import type { ViewState } from "../frames/view-state.ts";
import { goalByName } from "../metrics.ts";
import { h } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import type { RunColumn, RunColumns } from "./columns.ts";
import { parseSort } from "./sorting.ts";

const COUNTS = [10, 50];
const TOP = 10;

/** A select with the choices, whose value is the setting `drawn_runs`. */
export class DrawnRunsChoice {
  readonly element = h("select", { class: "tb-select tb-drawn-runs", "aria-label": "Runs to draw" });
  #state: ViewState;
  #shown = "";

  constructor(state: ViewState, signal: AbortSignal) {
    this.#state = state;
    this.element.addEventListener("change", () => state.set("drawn_runs", this.element.value), { signal });
  }

  update(columns: RunColumns, total: number) {
    const rule = this.#state.get("drawn_runs");
    const choices = choicesOf(rule, this.#state.get("run_sort"), columns, total);
    const key = JSON.stringify(choices);
    if (key !== this.#shown) {
      this.#shown = key;
      this.element.replaceChildren(...choices.map(([value, text]) => h("option", { value }, text)));
    }
    this.element.value = rule;
  }
}

/** Return the rules that can be chosen, with their texts. */
export function choicesOf(
  rule: string,
  sort: string,
  columns: RunColumns,
  total: number,
): [rule: string, text: string][] {
  const best = columns.metrics.filter(goalByName).sort((a, b) => rankOf(a) - rankOf(b))[0];
  const sorts = [
    ...(sort && columns.get(parseSort(sort).id) ? [sort] : []),
    ...(best ? [goalByName(best) === "max" ? `-max.${best}` : `min.${best}`] : []),
  ];
  const rules = [
    "",
    ...COUNTS.filter((count, i) => i === 0 || count < total).map(count => `newest ${count}`),
    ...sorts.map(by => `top ${TOP} ${by}`),
    "all",
    "selected",
    rule,
  ];
  return [...new Set(rules)].map(each => [each, ruleText(each, columns, total)]);
}

/** Rank metrics of validation before others. */
function rankOf(metric: string): number {
  return /^(val|valid|validation|eval|dev|test)\b/i.test(metric) ? 0 : 1;
}

function ruleText(rule: string, columns: RunColumns, total: number): string {
  if (!rule) return "This board's runs";
  if (rule === "all") return `All ${formatCount(total)} runs`;
  if (rule === "selected") return "Selected runs only";
  const [, what, count, by] = /^(newest|top) (\d+)(?: (.+))?$/.exec(rule) ?? [];
  if (what === "newest") return `Newest ${count}`;
  if (what !== "top") return rule;
  const { id, descending } = parseSort(by);
  const column: RunColumn | null = columns.get(id);
  return `Top ${count} by ${descending ? "largest" : "smallest"} ${column?.title.replace(/^(min|max) /, "") ?? id}`;
}
