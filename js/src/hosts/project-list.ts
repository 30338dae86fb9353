import { h, searchField, setText } from "../ui/dom.ts";
import { formatAgo, formatCount } from "../ui/format.ts";

export const NEW_TOKEN =
  "This page needs a new token: “trackbook show” prints one, and “trackbook token create” makes one for “trackbook serve”. Reload the page to enter it.";
const POLL = 5000; // ms between two looks at the projects

interface ProjectEntry {
  name: string;
  runs: number;
  running: number;
  active: number | null;
  problem: string | null;
}

/** The list of projects, with search; looked at again every few seconds while it is visible. */
export class ProjectList {
  readonly element = h("div", { class: "tb-projects" });
  #search = searchField("Search projects");
  #rows = h("div", { class: "tb-projects-rows", role: "list" });
  #entries: readonly ProjectEntry[] = [];
  #now = 0;
  #addressOf: (parameters: Record<string, string>) => string;

  /** `tell` is told what keeps the list from being read, and "" when it is read. */
  constructor(
    addressOf: (parameters: Record<string, string>) => string,
    tell: (text: string) => void,
    signal: AbortSignal,
  ) {
    this.#addressOf = addressOf;
    this.element.append(this.#search, this.#rows);
    this.#search.addEventListener("input", () => this.#show(), { signal });
    const read = async () => {
      if (document.visibilityState === "hidden") return;
      try {
        const answer = await fetch("api/projects", { signal });
        if (!answer.ok) return tell(answer.status === 401 ? NEW_TOKEN : `Error ${answer.status}`);
        const { projects, now } = (await answer.json()) as { projects: ProjectEntry[]; now: number };
        [this.#entries, this.#now] = [projects, now];
        tell("");
        this.#show();
      } catch (error) {
        if (!signal.aborted) tell("Reconnecting…");
        console.debug("Trackbook:", error);
      }
    };
    const timer = setInterval(read, POLL);
    document.addEventListener("visibilitychange", read, { signal });
    signal.addEventListener("abort", () => clearInterval(timer));
    void read();
  }

  #show() {
    const wanted = this.#search.value.trim().toLowerCase();
    const found = this.#entries.filter(({ name }) => name.toLowerCase().includes(wanted));
    const empty = this.#entries.length
      ? `No project matches “${this.#search.value.trim()}”.`
      : 'There are no projects yet: tb.init("name") begins one.';
    this.#rows.replaceChildren(
      ...(found.length
        ? found.map(entry => this.#row(entry))
        : [h("p", { class: "tb-site-message" }, empty)]),
    );
  }

  #row({ name, runs, running, active, problem }: ProjectEntry): HTMLElement {
    const link = h("a", { href: this.#addressOf({ project: name }), class: "tb-projects-name" }, name);
    const counted = h("span", { class: "tb-number" }, `${formatCount(runs)} ${runs === 1 ? "run" : "runs"}`);
    const state = h(
      "span",
      { class: "tb-projects-running" },
      running ? `● ${formatCount(running)} running` : "",
    );
    const when = h("time", { class: "tb-number" }, active === null ? "" : agoOf(this.#now - active));
    if (active !== null) when.setAttribute("title", new Date(1000 * active).toLocaleString());
    const row = h("div", { class: "tb-projects-row", role: "listitem" }, link, state, counted, when);
    if (problem !== null) {
      setText(counted, problem);
      counted.className = "tb-projects-problem";
    }
    return row;
  }
}

function agoOf(seconds: number): string {
  return seconds < 60 ? "just now" : formatAgo(seconds);
}
