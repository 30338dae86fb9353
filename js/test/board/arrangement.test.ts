// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Arrangement } from "../../src/board/arrangement.ts";
import { dropSide } from "../../src/board/chart-drag.ts";
import { ChartGroups } from "../../src/board/chart-groups.ts";
import { ViewState } from "../../src/frames/view-state.ts";
import { combineMetrics } from "../../src/plot/combined.ts";
import { FakeModel } from "../fixtures.ts";

function arranged(metrics: string[], traits: Record<string, unknown> = {}) {
  const { signal } = new AbortController();
  const model = new FakeModel(traits);
  let members: ReadonlyMap<string, readonly string[]> = new Map();
  const show = () => {
    const found = combineMetrics(metrics, state.get("combined"), state.get("combine_splits"));
    members = found.members;
    groups.update(found.names);
  };
  const state: ViewState = new ViewState(model, show, signal);
  const groups: ChartGroups = new ChartGroups(state, () => {}, signal);
  show();
  const arrangement = new Arrangement(state, groups, () => members);
  const shown = () => groups.sections.map(({ key, charts }) => [key, ...charts]);
  return { arrangement, model, shown };
}

test("a chart dropped beside another stands there, also in another group", () => {
  const { arrangement, shown, model } = arranged(["a/x", "a/y", "a/z", "b/x"]);
  arrangement.drop("a/z", { kind: "before", chart: "a/x" });
  expect(shown()[0]).toEqual(["a", "a/z", "a/x", "a/y"]);
  arrangement.drop("b/x", { kind: "after", chart: "a/x" });
  expect(shown()).toEqual([["a", "a/z", "a/x", "b/x", "a/y"]]);
  arrangement.drop("b/x", { kind: "group", group: "b" });
  expect([shown()[1], model.get("chart_groups")]).toEqual([["b", "b/x"], {}]);
});

test("a chart dropped among the pinned ones is pinned there, and one dropped elsewhere no longer is", () => {
  const { arrangement, shown } = arranged(["a/x", "a/y", "a/z"], { pinned: ["a/x"] });
  arrangement.drop("a/z", { kind: "before", chart: "a/x" });
  expect(shown()).toEqual([
    ["@pinned", "a/z", "a/x"],
    ["a", "a/y"],
  ]);
  arrangement.drop("a/x", { kind: "after", chart: "a/y" });
  expect(shown()).toEqual([
    ["@pinned", "a/z"],
    ["a", "a/y", "a/x"],
  ]);
});

test("a chart dropped onto another is drawn in it, in its place", () => {
  const { arrangement, shown, model } = arranged(["train/acc", "train/loss", "val/loss", "val/acc"]);
  arrangement.drop("val/loss", { kind: "onto", chart: "train/loss" });
  expect(model.get("combined")).toEqual({ loss: ["train/loss", "val/loss"] });
  expect(shown()).toEqual([
    ["train", "train/acc", "loss"],
    ["val", "val/acc"],
  ]);
  arrangement.combine("train/acc", "loss");
  expect(model.get("combined")).toEqual({ loss: ["train/loss", "val/loss", "train/acc"] });
  arrangement.separate("loss");
  expect(shown().flat()).toEqual(["train", "train/acc", "train/loss", "val", "val/loss", "val/acc"]);
});

test("a combined chart of a pinned one is pinned", () => {
  const { arrangement, model } = arranged(["train/loss", "val/loss"], { pinned: ["train/loss"] });
  arrangement.combine("val/loss", "train/loss");
  expect(model.get("pinned")).toEqual(["loss"]);
});

test("charts move within their group by keys, and stop at its ends", () => {
  const { arrangement, shown } = arranged(["a/x", "a/y"]);
  arrangement.move("a/x", 1);
  expect(shown()).toEqual([["a", "a/y", "a/x"]]);
  arrangement.move("a/x", 1);
  expect(shown()).toEqual([["a", "a/y", "a/x"]]);
});

test("only sizes other than the usual are kept", () => {
  const { arrangement, model } = arranged(["a", "b"]);
  arrangement.setSize("a", "2x1");
  expect(model.get("chart_sizes")).toEqual({ a: "2x1" });
  arrangement.setSize("a", "1x1");
  expect(model.get("chart_sizes")).toEqual({});
});

test("the middle of a chart combines, unless the two cannot be combined", () => {
  expect([0.1, 0.5, 0.9].map(share => dropSide(share, true))).toEqual(["before", "onto", "after"]);
  expect([0.4, 0.6].map(share => dropSide(share, false))).toEqual(["before", "after"]);
});
