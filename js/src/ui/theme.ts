export type Theme = "light" | "dark";

/** The look of texts and axes in charts, as the page has it: in a theme of high contrast stronger than the palette. */
export interface TextLook {
  font: string;
  label: string;
  /** The color of axes; empty for the palette's. */
  frame: string;
}

/** Return the look of texts in an element; the same object while it stays. */
export function textLookOf(element: Element, before: TextLook | null = null): TextLook {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const textLook = { font: style.fontFamily, label: of("--tb-muted"), frame: of("--tb-frame") };
  return JSON.stringify(before) === JSON.stringify(textLook) ? (before as TextLook) : textLook;
}

const ATTRIBUTES = [
  "class",
  "style",
  "data-theme",
  "data-jp-theme-light",
  "data-jp-theme-name",
  "data-vscode-theme-kind",
  "data-color-mode",
];
const SYSTEM_DARK = "(prefers-color-scheme: dark)";
const FORCED = "(forced-colors: active)";
const STRONG = "(prefers-contrast: more)";

/** Detect the host's theme; without a hint, follow the system. */
export function detectTheme(view: Window): Theme {
  const { body, documentElement: html } = view.document;
  // colors that the system forces are not the page's
  if (view.matchMedia(FORCED).matches) return view.matchMedia(SYSTEM_DARK).matches ? "dark" : "light";
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter) return jupyter === "false" ? "dark" : "light";
  const vscode = body.dataset.vscodeThemeKind;
  if (vscode) return /dark|^vscode-high-contrast$/.test(vscode) ? "dark" : "light";
  if (body.classList.contains("vscode-dark")) return "dark";
  for (const element of [body, html]) {
    const named = element.dataset.theme ?? element.dataset.colorMode;
    if (named && /dark|light/.test(named)) return /dark/.test(named) ? "dark" : "light";
    for (const theme of ["dark", "light"] as const) if (element.classList.contains(theme)) return theme;
  }
  return backgroundTheme(view) ?? schemeTheme(view);
}

function backgroundTheme(view: Window): Theme | null {
  const { body, documentElement } = view.document;
  for (const element of [body, documentElement]) {
    const [r, g, b, alpha = 1] = (view.getComputedStyle(element).backgroundColor.match(/[\d.]+/g) ?? []).map(
      Number,
    );
    if (b !== undefined && alpha > 0.5) return 0.3 * r + 0.6 * g + 0.1 * b < 110 ? "dark" : "light";
  }
  return null;
}

/** Pages without a background are white whatever the system prefers, unless they declare `color-scheme: dark`. */
function schemeTheme(view: Window): Theme {
  const scheme = view.getComputedStyle(view.document.documentElement).colorScheme ?? "";
  if (!scheme.includes("dark")) return "light";
  return !scheme.includes("light") || view.matchMedia(SYSTEM_DARK).matches ? "dark" : "light";
}

export function watchTheme(view: Window, listener: () => void, signal: AbortSignal) {
  const observer = new (view as Window & typeof globalThis).MutationObserver(listener);
  for (const element of [view.document.body, view.document.documentElement]) {
    observer.observe(element, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  for (const query of [SYSTEM_DARK, FORCED, STRONG])
    view.matchMedia(query).addEventListener("change", listener, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}
