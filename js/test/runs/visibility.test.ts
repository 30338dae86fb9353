import { expect, test } from "vitest";
import { ViewState } from "../../src/frames/view-state.ts";
import { MOST_DRAWN, Visibility } from "../../src/runs/visibility.ts";
import { FakeModel, run } from "../fixtures.ts";

function visibility(drawn: number, traits: Record<string, unknown> = {}) {
  const model = new FakeModel(traits);
  const made = new Visibility(new ViewState(model, () => {}, new AbortController().signal));
  made.update({ runs: Array.from({ length: drawn }, (_, key) => run(key)) });
  const shown = (...ids: string[]) => ids.filter(id => made.shown(id));
  return { made, model, shown };
}

test("a run in the picture is toggled without the kernel", () => {
  const { made, model } = visibility(2);
  made.toggle(["id0"]);
  expect([model.get("hidden_runs"), model.get("selected_runs"), made.shown("id0")]).toEqual([
    ["id0"],
    undefined,
    false,
  ]);
  made.toggle(["id0"]);
  expect([model.get("hidden_runs"), made.shown("id0")]).toEqual([[], true]);
});

test("a run outside the picture is requested, then released", () => {
  const { made, model } = visibility(1);
  made.toggle(["far"]);
  expect([model.get("selected_runs"), made.shown("far")]).toEqual([["far"], true]);
  made.toggle(["far"]);
  expect([model.get("selected_runs"), made.shown("far")]).toEqual([[], false]);
});

test("a partly shown group is first shown, then hidden", () => {
  const { made, shown } = visibility(3, { hidden_runs: ["id1"] });
  made.toggle(["id0", "id1"]);
  expect(shown("id0", "id1", "id2")).toEqual(["id0", "id1", "id2"]);
  made.toggle(["id0", "id1"]);
  expect(shown("id0", "id1", "id2")).toEqual(["id2"]);
});

test("one click requests a limited number of runs", () => {
  const { made, model } = visibility(0);
  made.show(Array.from({ length: 1000 }, (_, i) => `r${i}`));
  expect(model.get("selected_runs")).toHaveLength(MOST_DRAWN);
});

test("showing only one run hides the others, repeating it shows them", () => {
  const { made, shown } = visibility(3);
  made.solo(["id1"]);
  expect(shown("id0", "id1", "id2")).toEqual(["id1"]);
  made.solo(["id1"]);
  expect(shown("id0", "id1", "id2")).toEqual(["id0", "id1", "id2"]);
});

test("showing only one run also hides those that have not arrived yet", () => {
  const { made, shown } = visibility(2, { selected_runs: ["far"] });
  made.solo(["id1"]);
  expect(shown("id0", "id1", "far")).toEqual(["id1"]);
  made.solo(["id1"]);
  expect(shown("id0", "id1", "far")).toEqual(["id0", "id1", "far"]);
});
