// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";

beforeEach(() => {
  vi.resetModules();
  vi.restoreAllMocks();
  globalThis.trackbookFrontEnds = undefined;
});

const run = () => import("../../src/hosts/fallback.ts");

function output(session: string): { area: HTMLElement; page: HTMLElement } {
  document.body.innerHTML = `<div class="jp-OutputArea-child"><div class="tb-page" data-trackbook-session="${session}"></div></div>`;
  const [area, page] = [".jp-OutputArea-child", ".tb-page"].map(
    s => document.querySelector(s) as HTMLElement,
  );
  return { area, page };
}

function saveState(state: Record<string, unknown>) {
  const tag = document.createElement("script");
  tag.type = "application/vnd.jupyter.widget-state+json";
  tag.textContent = JSON.stringify({ state });
  document.body.append(tag);
}

test("the output is hidden in a live notebook", async () => {
  const { area, page } = output("s");
  await run();
  expect([area.style.display, page.children.length]).toEqual(["none", 0]);
});

test("a page without state of the session is not changed", async () => {
  const { area, page } = output("s");
  saveState({
    other: { state: { front_end: "IPY_MODEL_code", keyframe: { header: { session: "t" } } } },
    code: { state: { code: "export {}", version: "v" } },
    slider: { state: {} },
  });
  await run();
  expect([area.style.display, page.children.length]).toEqual(["", 0]);
});

test("the session's board is drawn with the page's front end", async () => {
  output("s");
  const loaded = vi
    .spyOn(URL, "createObjectURL")
    .mockReturnValue("data:text/javascript,export const mount = () => {}");
  saveState({
    board: { state: { front_end: "IPY_MODEL_code", keyframe: { header: { session: "s" } } } },
    code: { state: { code: "the text", version: "v" } },
  });
  await run();
  expect(await (loaded.mock.calls[0][0] as Blob).text()).toBe("the text");
});

test("a page without a saved front end is not changed", async () => {
  const { page } = output("s");
  saveState({ board: { state: { front_end: "IPY_MODEL_gone", keyframe: { header: { session: "s" } } } } });
  await run();
  expect(page.children.length).toBe(0);
});
