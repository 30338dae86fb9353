import { h } from "../dom.ts";

/** Names and values in two columns. */
export function pairs(entries: Iterable<readonly [string, string]>): HTMLElement {
  const list = h("dl", { class: "tb-pairs" });
  for (const [name, value] of entries) list.append(h("dt", {}, name), h("dd", {}, value));
  return list;
}
