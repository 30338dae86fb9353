type Attributes = Record<string, string>;

/**
 * Create an element with attributes and children. Strings become text nodes, never markup. Headings and paragraphs
 * are `div`s with roles, because hosts style those tags in different ways.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set the text only if it differs, so that selections and screen readers are not disturbed. */
export function setText(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make `children` the exact children of `parent`; move only those out of place. */
export function setChildren(parent: Element, children: readonly Element[]) {
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild?.remove();
}

/** Create a bordered button. */
export function button(text: string, className = ""): HTMLButtonElement {
  return h("button", { type: "button", class: `tb-button ${className}`.trim() }, text);
}

/** Put a label before a control. */
export function labelled(name: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "tb-field" }, h("span", {}, name), control);
}

export function searchField(placeholder: string, label = placeholder): HTMLInputElement {
  const attributes = {
    type: "search",
    class: "tb-filter",
    placeholder,
    "aria-label": label,
    spellcheck: "false",
  };
  return h("input", attributes);
}

/** Return a function that runs `act` once in the next animation frame, however often it is called. */
export function nextFrame(act: () => void, signal: AbortSignal): () => void {
  let frame = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  return () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      act();
    });
  };
}

export function onResize(element: Element, act: () => void, signal: AbortSignal) {
  const sized = new ResizeObserver(act);
  sized.observe(element);
  signal.addEventListener("abort", () => sized.disconnect());
}

const SVG = "http://www.w3.org/2000/svg";

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Draw a short sample of a run's line: colour and dash pattern. */
export function swatch(color: string, dash: readonly number[], width = 16): SVGElement {
  const ends = { x1: "0", x2: String(width), y1: "4", y2: "4" };
  const line = svg("line", { ...ends, stroke: color.replace(/^(#.{6}).*/, "$1"), "stroke-width": "2.5" });
  if (dash.length) line.setAttribute("stroke-dasharray", dash.join(" "));
  const size = { width: String(width), height: "8" };
  const element = svg("svg", { ...size, "aria-hidden": "true", class: "tb-swatch" });
  element.append(line);
  return element;
}
