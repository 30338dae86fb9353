import type { RunEntry } from "../frames/runs-table.ts";
import type { ViewState } from "../frames/view-state.ts";
import { h, searchField, setText } from "../ui/dom.ts";
import { parseFilter } from "../ui/filter.ts";
import type { RunColumns } from "./columns.ts";
import { FilterProblem, isExpression, parseRunFilter, type RunTest } from "./run-filter.ts";

const HINT = "Text, or a filter such as lr > 0.01 and optimizer = adam";
let fields = 0;

/** The field of the runs' filter, with completions. A text that is no filter is explained under it; the filter before it stays. */
export class FilterField {
  readonly input = searchField("Filter: lr > 0.01 and optimizer = adam", "Filter runs");
  readonly element: HTMLElement;
  #state: ViewState;
  #completions = h("datalist", { id: `tb-completions-${++fields}` });
  #problem = h("div", { class: "tb-filter-problem", role: "status", hidden: "" });
  #draft: { text: string; over: string } | null = null;
  #columns: RunColumns | null = null;
  #test: RunTest = () => true;
  /** Whether the board's filter parses. */
  holds = true;

  constructor(state: ViewState, completions: (text: string) => string[], signal: AbortSignal) {
    this.#state = state;
    this.element = h("div", { class: "tb-filter-field" }, this.input, this.#completions, this.#problem);
    this.input.setAttribute("list", this.#completions.id);
    this.input.addEventListener(
      "input",
      () => {
        const offered = completions(this.input.value);
        this.#completions.replaceChildren(...offered.map(value => h("option", { value })));
        this.#take(this.input.value);
      },
      { signal },
    );
  }

  /** Return the test of the filter that holds: the board's, or while that does not parse the last that did. */
  update(columns: RunColumns): RunTest {
    this.#columns = columns;
    const text = this.#state.get("run_filter");
    if (this.#draft && this.#draft.over !== text) this.#draft = null; // another view has set a filter since
    const { test, problem } = parsed(text, columns);
    this.holds = test !== null;
    this.#test = test ?? this.#test;
    if (!this.#draft) this.#show(text, problem);
    return this.#test;
  }

  #take(text: string) {
    const over = this.#state.get("run_filter");
    const { test, problem } = this.#columns ? parsed(text, this.#columns) : { test: null, problem: "" };
    this.#draft = test ? null : { text, over };
    this.#show(text, problem);
    if (test && text !== over) this.#state.set("run_filter", text);
  }

  #show(text: string, problem: string) {
    if (this.input.value !== text) this.input.value = text;
    this.input.setAttribute("aria-invalid", String(Boolean(problem)));
    this.input.title = problem || HINT;
    setText(
      this.#problem,
      problem && this.#draft ? `${asSentence(problem)} The filter before it stays.` : problem,
    );
    this.#problem.hidden = !problem;
  }
}

function asSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function parsed(text: string, columns: RunColumns): { test: RunTest | null; problem: string } {
  try {
    const test = parseRunFilter(text, columns);
    return { test, problem: isExpression(text) ? "" : (parseFilter(text).problem ?? "") };
  } catch (error) {
    if (!(error instanceof FilterProblem)) throw error;
    return { test: null, problem: error.message };
  }
}

/** Return the runs that pass a test. */
export function passing(entries: readonly RunEntry[], test: RunTest, now: number): readonly RunEntry[] {
  return entries.filter(entry => test(entry, now));
}
