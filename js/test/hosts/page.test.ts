// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { storeOf } from "../../src/frames/picture-store.ts";
import { mount, replaceSavedPages, SavedModel, type SavedWidget } from "../../src/hosts/page.ts";
import widget from "../../src/index.ts";
import { FakeModel, frame, run } from "../fixtures.ts";

afterEach(() => {
  document.body.replaceChildren();
});

const loss = [
  {
    run: 0,
    metric: 0,
    rows: [
      [0, 0, 1.5],
      [1, 1, Number.NaN],
    ],
  },
];

/** As nbconvert writes it: buffers in base64, separate from the state. */
function saved(header: Parameters<typeof frame>[1] = {}): SavedWidget {
  const { header: full, data } = frame(loss, header);
  const bytes = Buffer.from(data.buffer).toString("base64");
  return {
    state: { keyframe: { header: full }, smoothing: 3 },
    buffers: [{ encoding: "base64", path: ["keyframe", "data"], data: bytes }],
  };
}

function page(session: string): HTMLElement {
  const el = document.createElement("div");
  el.className = "tb-page";
  el.dataset.trackbookSession = session;
  document.body.append(el);
  return el;
}

const boards = () => document.querySelectorAll(".tb-board").length;

test("buffers are restored at their paths", () => {
  const [series] = storeOf(new SavedModel(saved())).picture?.series ?? [];
  expect(series.columns).toMatchObject({ value: Float64Array.of(1.5, Number.NaN) });
});

test("a missing buffer of zero length is allowed", () => {
  const { header } = frame([]);
  expect(storeOf(new SavedModel({ state: { keyframe: { header } } })).picture?.series).toEqual([]);
});

test("a saved model notifies its views and acknowledges nothing", () => {
  const [model, heard] = [new SavedModel(saved()), vi.fn()];
  model.on("change:smoothing", heard);
  model.set("smoothing", 9);
  expect([model.get("smoothing"), heard.mock.calls.length]).toEqual([9, 1]);
  model.off("change:smoothing", heard);
  model.set("smoothing", 10);
  expect(heard).toHaveBeenCalledTimes(1);
});

test("the saved state is not modified", () => {
  const state = saved();
  new SavedModel(state).set("smoothing", 9);
  expect(state.state).toMatchObject({ smoothing: 3, keyframe: { header: { session: "s" } } });
  expect(state.state.keyframe as object).not.toHaveProperty("data");
});

test("a run in a saved page does not tick", () => {
  mount(page("s"), saved({ now: 65, runs: [run(0, { started: 0 })] }));
  expect(document.querySelector(".tb-status")?.textContent).toContain("1:05");
});

test("the live widget replaces the saved page of its session", () => {
  const other = page("other");
  mount(page("s"), saved());
  expect(boards()).toBe(1);
  widget.render({ model: new FakeModel({ keyframe: frame(loss) }), el: document.body });
  expect([boards(), [...document.querySelectorAll(".tb-page")]]).toEqual([1, [other]]);
});

test("a saved page mounted after the live widget stays empty", () => {
  widget.render({ model: new FakeModel({ keyframe: frame(loss) }), el: document.body });
  mount(page("s"), saved());
  expect(boards()).toBe(1);
});

test("a session id is not parsed as a selector", () => {
  page('"] , body, [x="');
  expect(() => replaceSavedPages('"] , body, [x="')).not.toThrow();
  expect(document.body.children).toHaveLength(0);
});
