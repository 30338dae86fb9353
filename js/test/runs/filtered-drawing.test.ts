import { expect, test } from "vitest";
import type { RunEntry } from "../../src/frames/runs-table.ts";
import { ViewState } from "../../src/frames/view-state.ts";
import { FilteredDrawing } from "../../src/runs/filtered-drawing.ts";
import { Visibility } from "../../src/runs/visibility.ts";
import { FakeModel, run } from "../fixtures.ts";

const entries = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `id${i}` }) as RunEntry);

/** A view of a board whose picture has so many runs; `follow` draws those of `of` runs that pass. */
function view(drawn: number, model = new FakeModel({ draw_filtered: true, run_filter: "x" })) {
  const state = new ViewState(model, () => {}, new AbortController().signal);
  const visibility = new Visibility(state);
  const filtered = new FilteredDrawing(state, visibility);
  visibility.update({ runs: Array.from({ length: drawn }, (_, key) => run(key)) });
  const follow = (of: number, passes: (i: number) => boolean) => {
    const all = entries(of);
    filtered.update(
      all,
      all.filter((_, i) => passes(i)),
    );
  };
  const shown = (of: number) => entries(of).flatMap(({ id }, i) => (visibility.shown(id) ? [i] : []));
  return { model, state, visibility, filtered, follow, shown };
}

/** Count how often traits are set from now on. */
function sets(model: FakeModel): () => number {
  let count = 0;
  for (const trait of ["hidden_runs", "selected_runs"]) model.on(`change:${trait}`, () => count++);
  return () => count;
}

test("runs are drawn and left out as they begin and cease to pass", () => {
  const { follow, shown } = view(3);
  follow(4, i => i > 0);
  expect(shown(4)).toEqual([1, 2, 3]);
  follow(4, i => i < 2);
  expect(shown(4)).toEqual([0, 1]);
});

test("nothing is set while nothing changes, also with a second view", () => {
  const one = view(3);
  const other = view(3, one.model);
  const passes = (i: number) => i % 2 === 1;
  one.follow(6, passes);
  const count = sets(one.model);
  for (let i = 0; i < 3; i++) {
    other.follow(6, passes);
    one.follow(6, passes);
  }
  expect([count(), one.shown(6), other.shown(6)]).toEqual([0, [1, 3, 5], [1, 3, 5]]);
});

test("a view with an older picture of the runs does not undo what a newer one sets", () => {
  const newer = view(2);
  const older = view(2, newer.model);
  older.follow(2, () => true);
  newer.follow(2, i => i === 0);
  const count = sets(newer.model);
  for (let i = 0; i < 3; i++) {
    older.follow(2, () => true);
    newer.follow(2, i => i === 0);
  }
  expect([count(), newer.model.get("hidden_runs")]).toEqual([0, ["id1"]]);
});

test("a run that is hidden by hand stays hidden, until the filter is edited", () => {
  const { model, follow, visibility, shown } = view(2);
  follow(3, () => true);
  visibility.hide(["id0", "id2"]);
  follow(3, () => true);
  expect(shown(3)).toEqual([1]);
  model.set("run_filter", "y");
  follow(3, () => true);
  expect(shown(3)).toEqual([0, 1, 2]);
});

test("switched off, all others are drawn again, and what was asked for is given back", () => {
  const { model, follow, shown } = view(
    3,
    new FakeModel({ draw_filtered: true, run_filter: "x", selected_runs: ["id5"] }),
  );
  follow(8, i => i > 5);
  expect([shown(8), model.get("selected_runs")]).toEqual([
    [6, 7],
    ["id5", "id6", "id7"],
  ]);
  model.set("draw_filtered", false);
  follow(8, () => true);
  expect([shown(8), model.get("selected_runs"), model.get("hidden_runs")]).toEqual([
    [0, 1, 2, 5],
    ["id5"],
    [],
  ]);
});

test("alone again, a run gives place to the runs that pass, not to all", () => {
  const { follow, visibility, shown } = view(4);
  follow(4, i => i < 3);
  visibility.solo(["id1"]);
  follow(4, i => i < 3);
  expect(shown(4)).toEqual([1]);
  visibility.solo(["id1"]);
  follow(4, i => i < 3);
  expect(shown(4)).toEqual([0, 1, 2]);
});
