const MARK = "data-trackbook-style";

/** Puts the stylesheet, once, into each root that shows something of the board: its own, and the body of the tooltip. */
export function adoptStyle(element: HTMLElement, css: string, signal: AbortSignal) {
  put(document.head, css);
  const adopt = () => {
    const root = element.getRootNode();
    if (root instanceof ShadowRoot) put(root, css);
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

function put(root: ParentNode, css: string) {
  if (root.querySelector(`:scope > style[${MARK}]`)) return;
  const style = document.createElement("style");
  style.setAttribute(MARK, "");
  style.textContent = css;
  root.append(style);
}
