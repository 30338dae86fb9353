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
async function board(models: Record<string, FakeModel>, frontEnd = "IPY_MODEL_code") {
  vi.resetModules();
  const { default: loader } = await import("../../src/hosts/loader.ts");
  const get_model = async (id: string) => {
    if (!models[id]) throw new Error("widget model not found");
    return models[id] as HostModel;
  };
  const proxy = () =>
    Object.assign(new FakeModel({ front_end: frontEnd }), { widget_manager: { get_model } });
  const [own, el] = [proxy(), document.createElement("div") as HTMLElement & { shared?: unknown }];
  loader.initialize({ model: own });
  return {
    el,
    own,
    render: (signal = new AbortController().signal) => loader.render({ model: proxy(), el, signal }),
  };
}

const frontEnd = (version = "v") => new FakeModel({ code: CODE, version });

test("all boards of a page are drawn by one front end, evaluated once", async () => {
  const models = { code: frontEnd() };
  const boards = [await board(models), await board(models)];
  for (const { render } of boards) await render();
  expect(boards.map(({ el }) => el.textContent)).toEqual(["drawn", "drawn"]);
  expect((globalThis as Page).evaluated).toBe(1);
});

test("boards of kernels with different front ends each get theirs", async () => {
  await (await board({ code: frontEnd("v") })).render();
  vi.mocked(URL.createObjectURL).mockReturnValue(`data:text/javascript,${encodeURIComponent(CODE)}//other`);
  await (await board({ code: frontEnd("w") })).render();
  expect((globalThis as Page).evaluated).toBe(2);
});

test("views share the model that outlives them, and end by themselves", async () => {
  const { el, own, render } = await board({ code: frontEnd() });
  const end = await render();
  expect(el.shared).toBe(own);
  end();
  expect(el.textContent).toBe("");
});

test("a view that is gone before the front end came is not drawn", async () => {
  const { el, render } = await board({ code: frontEnd() });
  await render(AbortSignal.abort());
  expect(el.textContent).toBe("");
});

test("a front end that comes up after its board is waited for", async () => {
  const models: Record<string, FakeModel> = {};
  const { el, render } = await board(models);
  const drawn = render();
  models.code = frontEnd();
  await drawn;
  expect(el.textContent).toBe("drawn");
});

test("a front end that never comes is said in the board's place", async () => {
  vi.spyOn(console, "warn").mockReturnValue();
  vi.useFakeTimers();
  const { el, render } = await board({});
  const said = render();
  await vi.advanceTimersByTimeAsync(11_000);
  await said;
  expect(el.textContent).toContain("run the cell again");
});
