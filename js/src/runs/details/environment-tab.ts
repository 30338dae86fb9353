import type { Requests } from "../../frames/requests.ts";
import { h, searchField } from "../../ui/dom.ts";
import { formatCount } from "../../ui/format.ts";
import { codeBlock, definitionList, titledList } from "./definition-list.ts";
import { SingleDocumentTab } from "./single-document-tab.ts";

type Topic = Record<string, unknown>;

const ENVIRONMENT = {
  ask: "environment",
  label: "Environment",
  every: 5000, // recorded once, shortly after the run started
  nothing: ["Not recorded yet.", "No environment was recorded."] as [string, string],
};

/** A run's environment by topic, with collapsed packages and the uncommitted changes. */
export class EnvironmentTab extends SingleDocumentTab {
  constructor(requests: Requests, signal: AbortSignal) {
    super(ENVIRONMENT, requests, signal);
  }

  protected override cellElement({ environment }: Record<string, unknown>): HTMLElement[] {
    return Object.entries((environment ?? {}) as Topic).flatMap(([name, topic]) =>
      topicElements(name, topic),
    );
  }
}

function topicElements(name: string, topic: unknown): HTMLElement[] {
  if (name === "packages") return packageList(topic as Topic);
  const { diff, ...rest } = (name === "git" ? topic : { "": topic }) as Topic;
  const lines = [...leaves(name === "git" ? rest : topic, "")];
  if (!lines.length && !diff) return [];
  const section = titledList(name, lines);
  if (diff) section.append(fold("diff", codeBlock(String(diff))));
  return [section];
}

function packageList(all: Topic): HTMLElement[] {
  const names = Object.entries(all ?? {}).map(([name, version]) => [name, String(version)] as const);
  if (!names.length) return [];
  const search = searchField("Search packages");
  let list = definitionList(names);
  search.addEventListener("input", () => {
    const text = search.value.trim().toLowerCase();
    const found = definitionList(names.filter(([name]) => name.toLowerCase().includes(text)));
    list.replaceWith(found);
    list = found;
  });
  return [fold(`packages ${formatCount(names.length)}`, search, list)];
}

function fold(title: string, ...content: Node[]): HTMLElement {
  return h("details", {}, h("summary", {}, title), ...content);
}

/** Yield dotted names and values. Empty values are skipped, and so is the index of a list's only item. */
function* leaves(value: unknown, name: string): Generator<[string, string]> {
  if (value === null || value === undefined || value === "") return;
  if (Array.isArray(value) && value.length === 1) yield* leaves(value[0], name);
  else if (typeof value !== "object") yield [name, String(value)];
  else for (const [key, each] of Object.entries(value)) yield* leaves(each, name ? `${name}.${key}` : key);
}
