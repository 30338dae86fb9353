// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";

beforeEach(() => {
  vi.resetModules();
});

const run = () => import("../src/hosts/fallback.ts");

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

test("in a live notebook it takes no room", async () => {
  const { area, page } = output("s");
  await run();
  expect([area.style.display, page.children.length]).toEqual(["none", 0]);
});

test("a page that knows nothing of the session is left as it is", async () => {
  const { area, page } = output("s");
  saveState({
    other: { state: { _esm: "export {}", keyframe: { header: { session: "t" } } } },
    slider: { state: {} },
  });
  await run();
  expect([area.style.display, page.children.length]).toEqual(["", 0]);
});

test("the widget of the session is loaded from its own saved text", async () => {
  output("s");
  const loaded = vi
    .spyOn(URL, "createObjectURL")
    .mockReturnValue("data:text/javascript,export const mount = () => {}");
  saveState({ board: { state: { _esm: "the text", keyframe: { header: { session: "s" } } } } });
  await run();
  expect(await (loaded.mock.calls[0][0] as Blob).text()).toBe("the text");
});
