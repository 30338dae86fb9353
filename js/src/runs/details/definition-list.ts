import { h } from "../../ui/dom.ts";

/** Names and values in two columns. */
export function definitionList(entries: Iterable<readonly [string, string]>): HTMLElement {
  const list = h("div", { class: "tb-pairs" });
  for (const [name, value] of entries) {
    list.append(h("div", { role: "term" }, name), h("div", { role: "definition" }, value));
  }
  return list;
}

/** The same, below what they are about. */
export function titledList(name: string, entries: Iterable<readonly [string, string]>): HTMLElement {
  return h("section", {}, h("div", { role: "heading", "aria-level": "4" }, name), definitionList(entries));
}

/** Code, a traceback or a diff: as it stands, line by line. */
export function codeBlock(text: string, more = ""): HTMLElement {
  return h("div", { class: `tb-mono tb-code ${more}`.trim(), tabindex: "0" }, text);
}
