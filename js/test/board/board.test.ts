// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import widget from "../../src/index.ts";
import { FakeModel, frame, run } from "../fixtures.ts";

afterEach(() => {
  document.body.replaceChildren();
});

function show(traits: Record<string, unknown> = {}, model = new FakeModel(traits)) {
  const [el, ends] = [document.createElement("div"), new AbortController()];
  document.body.append(el);
  widget.render({ model, el, signal: ends.signal });
  const board = el.querySelector(".tb-board") as HTMLElement;
  return { model, el, ends, board, text: (selector: string) => board.querySelector(selector)?.textContent };
}

const loss = [{ run: 0, metric: 0, rows: [[0, 0, 1]] }];
const settled = () => new Promise(resolve => setTimeout(resolve, 0));
const visible = (board: Element, selector: string) =>
  board.querySelector<HTMLElement>(selector)?.hidden === false;

test("an empty board says that charts appear with the first log call", async () => {
  const { model, board, text } = show();
  expect(text(".tb-empty")).toContain("tb.log(");
  model.set("keyframe", frame([], { metrics: [] }));
  await settled();
  expect(visible(board, ".tb-empty")).toBe(true);
  model.set("keyframe", frame(loss, { seq: 2 }));
  await settled();
  expect(visible(board, ".tb-empty")).toBe(false);
});

test("finished runs without metrics say that nothing was logged", async () => {
  const { model, text } = show({ keyframe: frame([], { metrics: [], runs: [run(0)] }) });
  expect(text(".tb-empty")).toContain("tb.log(");
  model.set("keyframe", frame([], { seq: 2, metrics: [], runs: [{ ...run(0), state: "failed" }] }));
  await settled();
  expect(text(".tb-empty")).toBe("Nothing was logged.");
});

test("a board with only system metrics still announces the first charts", async () => {
  const { board, text } = show({ keyframe: frame(loss, { metrics: ["@system/cpu %"] }) });
  expect(text(".tb-empty")).toContain("tb.log(");
  expect(visible(board, ".tb-empty")).toBe(true);
  expect(visible(board, ".tb-groups")).toBe(true);
});

test("system metrics are not offered as x axes", () => {
  const { board } = show({ keyframe: frame(loss, { metrics: ["loss", "@system/cpu %"] }) });
  const axes = [...board.querySelectorAll("optgroup option")].map(option => option.textContent);
  expect(axes).toEqual(["loss"]);
});

test("the board shows its project, groups and charts", () => {
  const { board } = show({ keyframe: frame([], { metrics: ["lr", "train/loss"], project: "digits" }) });
  expect(board.dataset.project).toBe("digits");
  expect([...board.querySelectorAll<HTMLElement>(".tb-group")].map(el => el.dataset.group)).toEqual([
    "",
    "train",
  ]);
  expect([...board.querySelectorAll<HTMLElement>(".tb-chart")].map(el => el.dataset.metric)).toEqual([
    "lr",
    "train/loss",
  ]);
});

test("each frame updates the progress of the run", async () => {
  const { model, text } = show({ keyframe: frame(loss, { runs: [{ ...run(0), done: 1 }] }) });
  expect(text(".tb-status")).toContain("1 step");
  model.set("delta", frame([], { base: 1, seq: 2, runs: [{ ...run(0), done: 41 }] }));
  await settled();
  expect(text(".tb-status")).toContain("41 steps");
});

test("two views share the picture and the hidden runs", () => {
  const model = new FakeModel({ keyframe: frame(loss, { runs: [run(0), run(1)] }) });
  const [a, b] = [show({}, model), show({}, model)];
  a.board.querySelector<HTMLElement>('[data-run="id1"]')?.click();
  expect(b.board.querySelector('[data-run="id1"]')?.getAttribute("aria-pressed")).toBe("false");
});

test("only a running run of this kernel can be stopped", async () => {
  const { model, board } = show({ keyframe: frame(loss, { runs: [run(0), run(1)] }), open_runs: ["id0"] });
  expect(visible(board, ".tb-stop")).toBe(false); // the board's current run is id1, which another process writes
  model.set("open_runs", ["id0", "id1"]);
  await settled();
  expect(board.querySelector("[aria-label='Stop run run-1']")).not.toBeNull();
  expect(visible(board, ".tb-stop")).toBe(true);
  model.set("delta", frame([], { base: 1, seq: 2, runs: [0, 1].map(n => run(n, { state: "finished" })) }));
  await settled();
  expect(visible(board, ".tb-stop")).toBe(false);
});

test("a frame of another version shows a message", async () => {
  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const { text, board } = show({ keyframe: frame([], { version: 99 }) });
  expect(text(".tb-notice")).toBe(
    "This board comes from another version of Trackbook: restart the kernel and run the cell again.",
  );
  expect(visible(board, ".tb-empty")).toBe(false);
  complain.mockRestore();
});

test("notices are shown as long as frames contain them", async () => {
  const { model, board } = show({ keyframe: frame(loss, { notices: ["<b>disk full</b>"] }) });
  expect([...board.querySelectorAll(".tb-notice")].map(notice => notice.textContent)).toEqual([
    "<b>disk full</b>",
  ]);
  model.set("keyframe", frame(loss, { seq: 2 }));
  await settled();
  expect(board.querySelector(".tb-notice")).toBeNull();
});

test("a filter without a match says so", () => {
  const { text } = show({ keyframe: frame(loss), metric_filter: "acc" });
  expect(text(".tb-empty")).toContain("acc");
});

test("an exception while building the board is shown in the cell", () => {
  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const broken = frame(loss);
  broken.header.runs = [null as never];
  const { text } = show({ keyframe: broken });
  expect(text(".tb-notice")).toBeTruthy();
  expect(complain).toHaveBeenCalled();
  complain.mockRestore();
});

test("aborting the signal releases everything of a view", () => {
  const model = new FakeModel({ keyframe: frame(loss) });
  const store = model.listening;
  widget.initialize({ model });
  const assembling = model.listening;
  const { el, ends } = show({}, model);
  expect(model.listening).toBeGreaterThan(assembling);
  ends.abort();
  expect([store, model.listening, el.children.length]).toEqual([0, assembling, 0]);
});

test("hosts without a signal end a view with the returned function", () => {
  const [model, el] = [new FakeModel({ keyframe: frame(loss) }), document.createElement("div")];
  const end = widget.render({ model, el });
  expect(el.children).toHaveLength(1);
  end();
  expect(el.children).toHaveLength(0);
});

test("the stylesheet is added to the page once", () => {
  show();
  show();
  expect(document.querySelectorAll("style[data-trackbook-style]")).toHaveLength(1);
});

test("the notebook does not receive keys typed on the board", () => {
  const { board, el } = show({ keyframe: frame(loss) });
  const heard = vi.fn();
  el.addEventListener("keydown", heard);
  board.querySelector(".tb-filter")?.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true }));
  expect(heard).not.toHaveBeenCalled();
});

test("the button that ends a zoom has its own place in the header", () => {
  const { board } = show({ keyframe: frame(loss) });
  expect(board.querySelector(".tb-unzoom")?.parentElement?.className).toBe("tb-top");
});

test("controls move into the View menu when the header gets narrow, and back", () => {
  const observed = new Map<Element, () => void>();
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(readonly act: () => void) {}
      observe = (element: Element) => observed.set(element, this.act);
      disconnect() {}
    },
  );
  const { board } = show({ keyframe: frame(loss) });
  vi.unstubAllGlobals();
  const head = board.querySelector(".tb-top") as HTMLElement;
  const inMenu = (width: number) => {
    Object.defineProperty(head, "clientWidth", { value: width, configurable: true });
    observed.get(head)?.();
    return board.querySelectorAll(".tb-view-extra :is(.tb-smoothing, .tb-x-axis, .tb-filter)").length;
  };
  expect([842, 584, 500, 842].map(inMenu)).toEqual([0, 2, 3, 0]);
});

test("hiding all runs shows a message", () => {
  const { board, text } = show({ keyframe: frame(loss), hidden_runs: ["id0"] });
  expect(text(".tb-empty")).toBe("All runs are hidden.");
  expect(board.querySelector<HTMLElement>(".tb-groups")?.hidden).toBe(true);
});
