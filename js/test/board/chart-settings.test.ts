// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChartSettings } from "../../src/board/chart-settings.ts";
import { Sidebar } from "../../src/board/sidebar.ts";
import { storeOf } from "../../src/frames/picture-store.ts";
import { ViewState } from "../../src/frames/view-state.ts";
import { FakeModel, frame, run, table } from "../fixtures.ts";

let ends = new AbortController();
beforeEach(() => {
  ends = new AbortController();
});
afterEach(() => ends.abort());

function made(traits: Record<string, unknown> = {}) {
  const keyframe = frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], {
    runs: [run(0), run(1)],
    metrics: ["loss"],
  });
  const model = new FakeModel({ keyframe, ...traits });
  const state = new ViewState(model, () => {}, ends.signal);
  const sidebar = new Sidebar(state, model, () => {}, ends.signal);
  const picture = storeOf(model).picture;
  if (!picture) throw new Error("no picture");
  return { state, sidebar, picture, settings: new ChartSettings(state, sidebar) };
}

test("unchanged settings are the same object", () => {
  const { settings, picture, state } = made();
  const all = settings.ofAll(picture, "light");
  const own = settings.of("loss", ["loss"], picture);
  expect(settings.ofAll(picture, "light")).toBe(all);
  expect(settings.of("loss", ["loss"], picture)).toBe(own);
  expect(settings.ofAll(picture, "light", true)).not.toBe(all);
  state.set("smoothing", 3);
  state.set("best_marks", !own.marksBest);
  expect(settings.ofAll(picture, "light")).not.toBe(all);
  expect(settings.of("loss", ["loss"], picture)).not.toBe(own);
});

test("a chart's log scale is its own until the board's is set", () => {
  const { settings, state } = made();
  settings.setLog("loss", true);
  expect([settings.logAxes("loss").y, settings.logAxes("acc").y]).toEqual([true, false]);
  expect(state.get("y_scales")).toEqual({ loss: "log" });
  settings.setLogEverywhere(true);
  expect([settings.logAxes("loss").y, settings.logAxes("acc").y]).toEqual([true, true]);
  expect(state.get("y_scales")).toEqual({});
  settings.setLog("acc", false);
  expect([settings.logAxes("loss").y, settings.logAxes("acc").y]).toEqual([true, false]);
  settings.setLog("acc", true);
  expect(state.get("y_scales")).toEqual({});
});

test("an empty range or no lines leave a chart as usual", () => {
  const { settings, state } = made();
  settings.setRange("loss", [0, null]);
  settings.setLines("loss", [0.5]);
  expect([state.get("y_ranges"), state.get("reference_lines")]).toEqual([
    { loss: [0, null] },
    { loss: [0.5] },
  ]);
  settings.setRange("loss", []);
  settings.setLines("loss", []);
  expect([state.get("y_ranges"), state.get("reference_lines")]).toEqual([{}, {}]);
});

test("colours of runs that are not drawn change no settings", () => {
  const { settings, picture, state } = made();
  const all = settings.ofAll(picture, "light");
  state.set("run_colors", { elsewhere: "#123456" });
  expect(settings.ofAll(picture, "light")).toBe(all);
  state.set("run_colors", { [picture.runs[0].id]: "#123456" });
  expect(settings.ofAll(picture, "light")).not.toBe(all);
});

test("colours by a column are made once for a table", () => {
  const runs = [1, 2].map(lr => ({ id: `run ${lr}`, config: { lr } }));
  const { sidebar, state, picture } = made({ table: table(runs), color_by: "config.lr" });
  const first = sidebar.colors("light", picture.now);
  expect(Object.keys(first.colors)).toEqual(["run 1", "run 2"]);
  expect(sidebar.colors("light", picture.now + 1)).toBe(first);
  expect(sidebar.colors("dark", picture.now)).not.toBe(first);
  state.set("color_by", "");
  expect(sidebar.colors("dark", picture.now).key).toBeNull();
});
