import { h } from "../../ui/dom.ts";

/** A two-column list of names and values. */
export function definitionList(entries: Iterable<readonly [string, string]>): HTMLElement {
  const list = h("div", { class: "tb-pairs" });
  for (const [name, value] of entries) {
    list.append(h("div", { role: "term" }, name), h("div", { role: "definition" }, value));
  }
  return list;
}

/** A definition list with a heading. */
export function titledList(name: string, entries: Iterable<readonly [string, string]>): HTMLElement {
  return h("section", {}, h("div", { role: "heading", "aria-level": "4" }, name), definitionList(entries));
}

/** A block of preformatted text: code, a traceback, or a diff. */
export function codeBlock(text: string, more = ""): HTMLElement {
  return h("div", { class: `tb-mono tb-code ${more}`.trim(), tabindex: "0" }, text);
}
