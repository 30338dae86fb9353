const MARK = "data-trackbook-style";

/**
 * Add the stylesheet once to each root that shows part of a board: the board's own root, and the document, for the
 * tooltip. `onLate` is called if the element is put into the page only later.
 */
export function adoptStyle(element: HTMLElement, css: string, signal: AbortSignal, onLate = () => {}) {
  put(document.head, css);
  const adopt = () => {
    const root = element.getRootNode();
    if (root instanceof ShadowRoot) put(root, css);
  };
  if (element.isConnected) return adopt();
  // Hosts may render into a detached element; the observer fires when it is attached, before the first paint.
  const observer = new ResizeObserver(() => {
    adopt();
    onLate();
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
