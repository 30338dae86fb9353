import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { storeOf } from "../../src/frames/picture-store.ts";
import { FakeModel, frame } from "../fixtures.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const point = (step: number) => [{ run: 0, metric: 0, rows: [[step, 0, 1]] }];
const settled = () => vi.advanceTimersByTimeAsync(0);

test("a model has one store", () => {
  const model = new FakeModel();
  expect(storeOf(model)).toBe(storeOf(model));
  expect(storeOf(model).picture).toBeNull();
});

test("a late view finds the picture", () => {
  expect(storeOf(new FakeModel({ keyframe: frame(point(0)) })).picture?.seq).toBe(1);
});

test.each([[["keyframe", "delta"]], [["delta", "keyframe"]]])(
  "both traits in one message, %s first, are one change",
  async order => {
    const model = new FakeModel({ keyframe: frame(point(0)) });
    const store = storeOf(model);
    const changed = vi.fn();
    store.subscribe(changed, new AbortController().signal);
    const traits = {
      keyframe: frame(point(0), { seq: 5 }),
      delta: frame(point(1), { seq: 6, base: 5, runs: [], metrics: [] }),
    };
    for (const name of order) model.set(name, traits[name as keyof typeof traits]);
    await settled();
    expect(changed).toHaveBeenCalledTimes(1);
    expect(store.picture).toMatchObject({ seq: 6, series: [{ rows: 2 }] });
  },
);

test("a delta waits for the keyframe of the next message", async () => {
  const model = new FakeModel({ keyframe: frame(point(0)) });
  const store = storeOf(model);
  model.set("delta", frame(point(1), { seq: 6, base: 5, runs: [], metrics: [] }));
  await settled();
  expect(store.picture?.seq).toBe(1);
  model.set("keyframe", frame(point(0), { seq: 5 }));
  await settled();
  expect(store.picture?.seq).toBe(6);
});

test("frames are acknowledged at most four times a second", async () => {
  const model = new FakeModel({ keyframe: frame(point(0)) });
  storeOf(model);
  for (let seq = 2; seq < 102; seq++) {
    model.set("keyframe", frame(point(0), { seq }));
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(250);
  expect(model.get("seen")).toBe(101);
  expect(model.saved).toBeLessThanOrEqual(5);
});

test("nothing is acknowledged for a notebook that was closed, to which JupyterLab can send nothing", async () => {
  const context = { isDisposed: false };
  const model = Object.assign(new FakeModel({ keyframe: frame(point(0)) }), { widget_manager: { context } });
  storeOf(model as never);
  model.set("keyframe", frame(point(0), { seq: 2 }));
  context.isDisposed = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(model.saved).toBe(0);
});

test("a frame of another version is a problem until a valid one arrives", async () => {
  const complain = vi.spyOn(console, "error").mockImplementation(() => {});
  const model = new FakeModel({ keyframe: frame([], { version: 99 }) });
  const store = storeOf(model);
  expect(store.problem?.message).toContain("restart the kernel");
  expect(complain).toHaveBeenCalledOnce();
  model.set("keyframe", frame([]));
  await settled();
  expect(store.problem).toBeNull();
  complain.mockRestore();
});

describe("a frame of another version with a live kernel", () => {
  const asking = () => {
    const complain = vi.spyOn(console, "error").mockImplementation(() => {});
    const model = Object.assign(new FakeModel({ keyframe: frame([], { version: 99 }) }), { send: vi.fn() });
    return { model, store: storeOf(model), complain };
  };

  test("requests a keyframe once and shows it", async () => {
    const { model, store, complain } = asking();
    expect(model.send.mock.calls).toEqual([[{ ask: "keyframe" }]]);
    expect(store.problem).toBeNull();
    model.set("keyframe", frame(point(0)));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.picture?.seq).toBe(1);
    expect(store.problem).toBeNull();
    expect(complain).not.toHaveBeenCalled();
    complain.mockRestore();
  });

  test("reports a problem if the new frame is no better", async () => {
    const { model, store, complain } = asking();
    model.set("keyframe", frame([], { version: 99, seq: 2 }));
    await settled();
    expect(store.problem?.message).toContain("restart the kernel");
    expect(model.send).toHaveBeenCalledOnce();
    complain.mockRestore();
  });

  test("reports a problem without an answer", async () => {
    const { store, complain } = asking();
    const changed = vi.fn();
    store.subscribe(changed, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.problem?.message).toContain("restart the kernel");
    expect(changed).toHaveBeenCalledOnce();
    complain.mockRestore();
  });
});

describe("series that the kernel omitted", () => {
  const names = Array.from({ length: 4 }, (_, metric) => `m${metric}`);
  const leftOut = (seq: number, ...series: number[]) =>
    frame(point(0), {
      seq,
      metrics: names,
      omitted: { count: series.length, series: series.map(metric => [0, metric]) },
    });
  const asking = (keyframe: unknown) => {
    const model = Object.assign(new FakeModel({ keyframe }), { send: vi.fn() });
    storeOf(model);
    return model;
  };

  test("are requested once", async () => {
    const model = asking(leftOut(1, 1, 2));
    expect(model.send.mock.calls).toEqual([[{ ask: "keyframe" }]]);
    await vi.advanceTimersByTimeAsync(10_000);
    model.set("keyframe", leftOut(2, 1, 2));
    await settled();
    expect(model.send).toHaveBeenCalledOnce();
  });

  test("are requested again later if more are missing", async () => {
    const model = asking(leftOut(1, 1));
    model.set("keyframe", leftOut(2, 1, 2));
    await settled();
    expect(model.send).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(10_000);
    model.set("keyframe", leftOut(3, 1, 2, 3));
    await settled();
    expect(model.send).toHaveBeenCalledTimes(2);
  });

  test("are not requested if there are none, or no kernel", () => {
    expect(asking(leftOut(1)).send).not.toHaveBeenCalled();
    expect(storeOf(new FakeModel({ keyframe: leftOut(1, 1) })).picture?.missing).toBe(1);
  });
});

test("an aborted listener is not called", async () => {
  const model = new FakeModel({ keyframe: frame(point(0)) });
  const [changed, ends] = [vi.fn(), new AbortController()];
  storeOf(model).subscribe(changed, ends.signal);
  ends.abort();
  model.set("keyframe", frame(point(0), { seq: 2 }));
  await settled();
  expect(changed).not.toHaveBeenCalled();
});

test("the skew of the kernel's clock is measured", () => {
  vi.setSystemTime(5_000_000);
  expect(storeOf(new FakeModel({ keyframe: frame([], { now: 4990 }) })).skew).toBe(-10);
});
