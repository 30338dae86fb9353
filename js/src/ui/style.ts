import compare from "../compare/compare.css";
import panel from "../runs/runs.css";
import css from "./style.css";

const MARK = "data-trackbook-style";

/** Puts the stylesheet, once, into each root that shows something of the board: its own, and the body of the tooltip. */
export function adoptStyle(element: HTMLElement, signal: AbortSignal) {
  put(document.head);
  const adopt = () => {
    const root = element.getRootNode();
    if (root instanceof ShadowRoot) put(root);
  };
  if (element.isConnected) return adopt();
  // Hosts render into an element first and attach it later; this fires before its first paint.
  const observer = new ResizeObserver(() => {
    adopt();
    observer.disconnect();
  });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}

function put(root: ParentNode) {
  if (root.querySelector(`:scope > style[${MARK}]`)) return;
  const style = document.createElement("style");
  style.setAttribute(MARK, "");
  style.textContent = css + panel + compare;
  root.append(style);
}
