// @vitest-environment happy-dom
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
