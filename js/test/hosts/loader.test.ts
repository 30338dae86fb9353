// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HostModel } from "../../src/frames/host-model.ts";
import { FakeModel } from "../fixtures.ts";

// A front end that notes what it is given; a data URL, because Node imports no blobs.
const CODE = `globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;
  export default { render({ el, shared }) { el.textContent = "drawn"; el.shared = shared; return () => { el.textContent = ""; }; } };`;

interface Page {
  evaluated?: number;
}

beforeEach(() => {
  vi.resetModules();
  vi.spyOn(URL, "createObjectURL").mockReturnValue(
    `data:text/javascript,${encodeURIComponent(CODE)}//${Math.random()}`,
  );
  globalThis.trackbookFrontEnds = undefined;
  (globalThis as Page).evaluated = 0;
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** As anywidget does it: a module of its own for each widget, and a model object of its own for each view. */
async function board(models: Record<string, FakeModel>, traits: Record<string, unknown> = {}) {
  vi.resetModules();
  const { default: loader } = await import("../../src/hosts/loader.ts");
  const get_model = async (id: string) => {
    if (!models[id]) throw new Error("widget model not found");
    return models[id] as HostModel;
  };
  const proxy = () =>
    Object.assign(new FakeModel({ front_end: "IPY_MODEL_code", ...traits }), {
      widget_manager: { get_model },
    });
  const [own, el] = [proxy(), document.createElement("div") as HTMLElement & { shared?: unknown }];
  loader.initialize({ model: own });
  return {
    el,
    own,
    render: (signal = new AbortController().signal) => loader.render({ model: proxy(), el, signal }),
  };
}

const frontEnd = (version = "v") => new FakeModel({ code: CODE, version });

const drawn = (el: HTMLElement) => vi.waitFor(() => expect(el.textContent).toBe("drawn"));

test("boards with the same front end evaluate it once", async () => {
  const models = { code: frontEnd() };
  const boards = [await board(models), await board(models)];
  for (const { render } of boards) render();
  for (const { el } of boards) await drawn(el);
  expect((globalThis as Page).evaluated).toBe(1);
});

test("boards with different front ends each use their own", async () => {
  const first = await board({ code: frontEnd("v") });
  first.render();
  await drawn(first.el);
  vi.mocked(URL.createObjectURL).mockReturnValue(`data:text/javascript,${encodeURIComponent(CODE)}//other`);
  const second = await board({ code: frontEnd("w") });
  second.render();
  await drawn(second.el);
  expect((globalThis as Page).evaluated).toBe(2);
});

test("views share the lasting model and end separately", async () => {
  const { el, own, render } = await board({ code: frontEnd() });
  const end = render();
  await drawn(el);
  expect(el.shared).toBe(own);
  end();
  expect(el.textContent).toBe("");
});

test("a view that ends before the front end comes is not drawn", async () => {
  const models: Record<string, FakeModel> = {};
  const [aborted, called] = [await board(models), await board(models)];
  aborted.render(AbortSignal.abort());
  called.render()();
  models.code = frontEnd();
  const last = await board(models);
  last.render();
  await drawn(last.el);
  expect([aborted.el.textContent, called.el.textContent]).toEqual(["", ""]);
});

test("a board waits for its front end while the page lives, says so, and recovers", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  vi.useFakeTimers();
  const models: Record<string, FakeModel> = {};
  const { el, render } = await board(models);
  render();
  await vi.advanceTimersByTimeAsync(1000);
  expect(el.textContent).toBe("");
  await vi.advanceTimersByTimeAsync(1500);
  expect(el.textContent).toContain("Waiting for the front end of this board");
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(el.textContent).toContain("run the cell again");
  expect(warn).toHaveBeenCalledTimes(1);
  models.code = frontEnd();
  await vi.advanceTimersByTimeAsync(2000);
  vi.useRealTimers();
  await drawn(el);
});

test("a front end that fails says why in place of the board", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  vi.mocked(URL.createObjectURL).mockReturnValue(
    "data:text/javascript,export default { render() { throw new Error('no canvas'); } };",
  );
  const { el, render } = await board({ code: frontEnd() });
  render();
  await vi.waitFor(() => expect(el.textContent).toContain("could not be drawn: Error: no canvas"));
});

/** Outputs of a cell as JupyterLab leaves them: a widget's place with this text, a snapshot, and the note of a session. */
function outputs(text: string, session: string): HTMLElement {
  document.body.innerHTML = `<div class="jp-OutputArea">
    <div class="jp-OutputArea-child"><div class="jp-OutputArea-output lm-Panel jupyter-widgets">${text}</div></div>
    <div class="jp-OutputArea-child"><div class="jp-OutputArea-output">snapshot</div></div>
    <div class="jp-OutputArea-child"><div><div class="tb-page" data-trackbook-session="${session}"></div></div></div>
  </div>`;
  return document.querySelector(".lm-Panel") as HTMLElement;
}

const LOST = "Error displaying widget: model not found";

test("a board whose output the host gave up is drawn there when its model comes", async () => {
  const place = outputs(LOST, "s");
  const models: Record<string, FakeModel> = {};
  await board(models, { keyframe: { header: { session: "s" } } });
  models.code = frontEnd(); // widgets are restored one by one
  await drawn(place);
  expect(place.classList.contains("jupyter-widgets")).toBe(false);
});

test.each([
  [LOST, "another"],
  ["Loading widget...", "s"],
])("other outputs are left alone: %s %s", async (text, session) => {
  const place = outputs(text, session);
  const { el, render } = await board({ code: frontEnd() }, { keyframe: { header: { session: "s" } } });
  render();
  await drawn(el);
  expect(place.textContent).toBe(text);
});
