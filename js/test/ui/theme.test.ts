// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { detectTheme, watchTheme } from "../../src/ui/theme.ts";

afterEach(() => {
  for (const element of [document.body, document.documentElement]) {
    for (const { name } of [...element.attributes]) element.removeAttribute(name);
  }
});

const { body, documentElement: html } = document;

test.each<[string, () => unknown, "light" | "dark"]>([
  ["nothing is said", () => {}, "light"],
  ["JupyterLab is dark", () => body.setAttribute("data-jp-theme-light", "false"), "dark"],
  ["JupyterLab is light", () => body.setAttribute("data-jp-theme-light", "true"), "light"],
  ["VS Code is dark", () => body.setAttribute("data-vscode-theme-kind", "vscode-dark"), "dark"],
  ["VS Code is dark by class alone", () => body.classList.add("vscode-dark"), "dark"],
  [
    "VS Code has high contrast",
    () => body.setAttribute("data-vscode-theme-kind", "vscode-high-contrast"),
    "dark",
  ],
  [
    "it has that on white",
    () => body.setAttribute("data-vscode-theme-kind", "vscode-high-contrast-light"),
    "light",
  ],
  ["marimo is dark", () => html.classList.add("dark"), "dark"],
  ["the page names its theme", () => html.setAttribute("data-theme", "dark"), "dark"],
  [
    "the page paints itself black",
    () => body.setAttribute("style", "background-color: rgb(20, 20, 20)"),
    "dark",
  ],
  [
    "the page paints itself white",
    () => body.setAttribute("style", "background-color: rgb(250, 250, 250)"),
    "light",
  ],
])("the theme is detected when %s", (_, given, theme) => {
  given();
  expect(detectTheme(window as unknown as Window)).toBe(theme);
});

const seen = (...matching: string[]) => {
  const view = Object.create(window, {
    matchMedia: {
      value: (query: string) => Object.assign(new EventTarget(), { matches: matching.includes(query) }),
    },
    document: { value: document },
  });
  return detectTheme(view as Window);
};

test("where the system forces its colors, the theme is the system's and not the page's", () => {
  const [forced, dark] = ["(forced-colors: active)", "(prefers-color-scheme: dark)"];
  body.setAttribute("data-jp-theme-light", "true");
  expect([seen(dark), seen(forced), seen(forced, dark)]).toEqual(["light", "light", "dark"]);
});

test("a change of contrast is reported like one of the theme", () => {
  const [changed, media] = [vi.fn(), new Map<string, EventTarget>()];
  const matchMedia = (query: string) => media.set(query, new EventTarget()).get(query);
  const view = Object.create(window, {
    matchMedia: { value: matchMedia },
    document: { value: document },
    MutationObserver: { value: MutationObserver },
  });
  watchTheme(view as Window, changed, new AbortController().signal);
  for (const each of media.values()) each.dispatchEvent(new Event("change"));
  expect(changed).toHaveBeenCalledTimes(3);
});

test("a theme change is reported until the view closes", async () => {
  const [changed, ends] = [vi.fn(), new AbortController()];
  watchTheme(window as unknown as Window, changed, ends.signal);
  body.setAttribute("data-jp-theme-light", "false");
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  ends.abort();
  body.setAttribute("data-jp-theme-light", "true");
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(changed).toHaveBeenCalledTimes(1);
});

const css = readFileSync("src/ui/ui.css", "utf8");
/** The variables of the rules with a selector, in the media query if one is given. */
function variables(selector: string, media = ""): Record<string, string> {
  const at = css.indexOf(media);
  const rule = css.slice(css.indexOf(selector, at)).match(/\{([^}]*)\}/)?.[1] ?? "";
  expect(Math.min(at, css.indexOf(selector, at))).toBeGreaterThanOrEqual(0);
  return Object.fromEntries(
    [...rule.matchAll(/(--tb-\w+): (#\w+)/g)].map(([, name, value]) => [name, value]),
  );
}
function contrast(a: string, b: string): number {
  const [dark, bright] = [a, b]
    .map(color => {
      const [r, g, blue] = [1, 3, 5]
        .map(at => Number.parseInt(color.slice(at, at + 2), 16) / 255)
        .map(share => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
    })
    .sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}
const MORE = "@media (prefers-contrast: more), (forced-colors: active)";

test.each([
  ["a theme of high contrast on white", ".vscode-high-contrast-light)", "", ".tb-tooltip {"],
  ["a theme of high contrast on black", ".vscode-high-contrast)", "", '.tb-tooltip[data-theme="dark"] {'],
  [
    "a system of high contrast, light",
    ':is(.tb-board, .tb-tooltip):not([data-theme="dark"])',
    MORE,
    ".tb-tooltip {",
  ],
  [
    "one that is dark",
    ':is(.tb-board, .tb-tooltip)[data-theme="dark"]',
    MORE,
    '.tb-tooltip[data-theme="dark"] {',
  ],
])(
  "in %s texts and lines contrast with the ground and with what is pointed at",
  (_, selector, media, usual) => {
    const own = { ...variables(usual), ...variables(selector, media) };
    for (const name of ["fg", "muted", "accent", "bad", "good", "warn"])
      for (const ground of ["surface", "hover"])
        expect(contrast(own[`--tb-${name}`], own[`--tb-${ground}`]), `${name} on ${ground}`).toBeGreaterThan(
          4.5,
        );
    for (const name of ["fg", "muted"])
      expect(contrast(own[`--tb-${name}`], own["--tb-surface"]), name).toBeGreaterThan(7);
    for (const name of ["line", "frame"])
      expect(contrast(own[`--tb-${name}`], own["--tb-surface"]), name).toBeGreaterThan(3);
  },
);
