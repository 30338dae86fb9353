import { h } from "./dom.ts";

const LONG = 18; // letters of a name from which on it may be cut
const END = 16; // letters kept at its end, which distinguish names with a common beginning
const ELLIPSIS = "…";

/** Show a name that is cut in its middle where it does not fit: runs, paths and metrics often differ at their ends only. */
export function setName(element: Element, name: string) {
  if (element.textContent === name) return;
  element.classList.toggle("tb-cut", name.length > LONG);
  if (name.length <= LONG) return element.replaceChildren(name);
  const at = endOf(name);
  element.replaceChildren(
    h("span", { class: "tb-cut-start" }, name.slice(0, at)),
    h("span", { class: "tb-cut-end" }, name.slice(at)),
  );
}

/** Copy names whole that are selected in an element: browsers put a line break between the parts of a cut name. */
export function copyWholeNames(element: HTMLElement, signal: AbortSignal) {
  const copy = (event: ClipboardEvent) => {
    const selection = getSelection();
    const isSelected = (name: Element) => selection?.containsNode(name, true);
    if (!selection || ![...element.querySelectorAll(".tb-cut")].some(isSelected)) return;
    element.classList.add("tb-copying"); // until the text is read, which depends on the layout
    event.clipboardData?.setData("text/plain", selection.toString());
    element.classList.remove("tb-copying");
    event.preventDefault();
  };
  element.addEventListener("copy", copy, { signal });
}

/** Return a name of at most so many letters, without some of its middle. */
export function shortName(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.ceil((most - 1) / 2);
  return letters.slice(0, most - 1 - end).join("") + ELLIPSIS + letters.slice(-end).join("");
}

/** Return where the end begins that stays: at a slash, else at the first other sign between words that is near enough. */
function endOf(name: string): number {
  const slash = name.lastIndexOf("/");
  if (name.length - slash <= END) return slash;
  const sign = name.slice(-END).search(/[-_ .:=]/);
  return sign < 0 || sign > END / 2 ? name.length - END / 2 : name.length - END + sign;
}
