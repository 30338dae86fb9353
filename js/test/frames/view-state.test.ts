import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ViewState } from "../../src/frames/view-state.ts";
import { FakeModel } from "../fixtures.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function view(traits: Record<string, unknown> = {}) {
  const [model, changed, ends] = [new FakeModel(traits), vi.fn(), new AbortController()];
  return { model, changed, ends, state: new ViewState(model, changed, ends.signal) };
}

test("a trait missing in the host has its default", () => {
  const { state } = view();
  expect([state.get("smoothing"), state.get("x_axis"), state.get("hidden_runs")]).toEqual([0, "step", []]);
});

test("changes by Python are reported", () => {
  const { model, changed, state } = view();
  model.set("smoothing", 8);
  expect([changed.mock.calls.length, state.get("smoothing")]).toEqual([1, 8]);
});

test("changes in the browser apply at once and are saved after a pause", () => {
  const { model, changed, state } = view();
  for (const n of [1, 2, 3]) {
    state.set("smoothing", n);
    vi.advanceTimersByTime(60);
  }
  expect([model.get("smoothing"), changed.mock.calls.length, model.saved]).toEqual([3, 3, 0]);
  vi.advanceTimersByTime(100);
  expect(model.saved).toBe(1);
});

test("toggling adds or removes an item in a new list", () => {
  const { model, state } = view({ hidden_runs: ["a"] });
  const before = model.get("hidden_runs");
  state.toggle("hidden_runs", "b");
  expect(model.get("hidden_runs")).toEqual(["a", "b"]);
  state.toggle("hidden_runs", "a");
  expect(model.get("hidden_runs")).toEqual(["b"]);
  expect(before).toEqual(["a"]);
});

test("closing the view saves pending changes and stops listening", () => {
  const { model, changed, ends, state } = view();
  state.set("smoothing", 4);
  ends.abort();
  expect([model.saved, model.listening]).toEqual([1, 0]);
  model.set("smoothing", 5);
  expect(changed).toHaveBeenCalledTimes(1);
});

test("a setting of the charts is a parameter of theirs, with its default where the host has none", () => {
  expect(view().state.chartOptions).toMatchObject({ smoothing: 0 });
  expect(view({ smoothing: 5 }).state.chartOptions).toMatchObject({ smoothing: 5 });
});
