// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { ChartGroups, columnsIn, orderGroups, spansOf } from "../../src/board/chart-groups.ts";
import { ViewState } from "../../src/frames/view-state.ts";
import { FakeModel } from "../fixtures.ts";

function groups(metrics: string[], traits: Record<string, unknown> = {}) {
  const { signal } = new AbortController();
  const model = new FakeModel(traits);
  const show = (names = metrics) => made.update(names);
  const made: ChartGroups = new ChartGroups(new ViewState(model, show, signal), () => {}, signal);
  show();
  const names = () =>
    [...made.element.querySelectorAll<HTMLElement>(".tb-group")].map(group => group.dataset.group);
  const charts = () =>
    [...made.element.querySelectorAll<HTMLElement>(".tb-chart")].map(chart => chart.dataset.metric);
  return { made, model, show, names, charts };
}

test("each metric has a chart titled with its short name", () => {
  const { made, names, charts } = groups(["train/loss", "lr"]);
  expect([names(), charts()]).toEqual([
    ["", "train"],
    ["lr", "train/loss"],
  ]);
  expect([...made.element.querySelectorAll(".tb-metric")].map(name => name.textContent)).toEqual([
    "lr",
    "loss",
  ]);
});

test("the only group, if it is the default one, has no heading", () => {
  const { made, show } = groups(["loss"]);
  const heading = made.element.querySelector(".tb-group-head") as HTMLElement;
  expect(heading.hidden).toBe(true);
  show(["loss", "train/loss"]);
  expect([heading.hidden, heading.textContent]).toEqual([false, "metrics1↑↓"]);
});

test("a heading collapses its group, and so does Python", () => {
  const { made, model } = groups(["train/loss", "val/loss"], { collapsed: [] });
  const [button, grid] = [".tb-group-toggle", ".tb-grid"].map(
    selector => made.element.querySelector(selector) as HTMLElement,
  );
  button.click();
  expect([model.get("collapsed"), button.getAttribute("aria-expanded"), grid.hidden]).toEqual([
    ["train"],
    "false",
    true,
  ]);
  model.set("collapsed", []);
  expect([button.getAttribute("aria-expanded"), grid.hidden]).toEqual(["true", false]);
});

test("a filtered chart returns as the same element", () => {
  const { made, show, charts } = groups(["train/loss", "train/acc"]);
  const before = made.element.querySelector('[data-metric="train/acc"]');
  show(["train/loss"]);
  expect(charts()).toEqual(["train/loss"]);
  show(["train/loss", "train/acc"]);
  expect(made.element.querySelector('[data-metric="train/acc"]')).toBe(before);
});

test("groups follow the chosen order, unplaced ones come last", () => {
  expect(orderGroups(["", "train", "val"], ["val", "gone"])).toEqual(["val", "", "train"]);
});

test("moving a group up or down keeps the focus on its button", () => {
  const { made, model, names } = groups(["lr", "train/loss", "val/loss"]);
  document.body.append(made.element);
  const button = made.element.querySelector('[data-group="val"] .tb-move') as HTMLButtonElement;
  button.click();
  expect([names(), model.get("group_order")]).toEqual([
    ["", "val", "train"],
    ["", "val", "train"],
  ]);
  expect(document.activeElement).toBe(button);
  button.click();
  expect([names(), button.disabled]).toEqual([["val", "", "train"], true]);
  made.element.remove();
});

test("the number of columns fits the width unless it is set", () => {
  expect([200, 700, 1100].map(width => columnsIn(width, 0))).toEqual([1, 2, 3]);
  expect(columnsIn(200, 4)).toBe(4);
});

test("a group spans as many columns as it has charts", () => {
  const { made } = groups(["lr", "train/a", "train/b", "val/a", "val/b", "val/c"], { columns: 3 });
  const spans = [...made.element.querySelectorAll<HTMLElement>(".tb-group")].map(
    ({ style }) => style.gridColumn,
  );
  expect(spans).toEqual(["span 1", "span 2", "span 3"]);
});

test("small groups share rows, a single chart fills a left over column", () => {
  expect(spansOf([1, 4, 1, 2], 2)).toEqual([2, 2, 2, 2]);
  expect(spansOf([1, 1, 2], 2)).toEqual([1, 1, 2]);
  expect(spansOf([1, 2, 5], 3)).toEqual([1, 2, 3]);
  expect(spansOf([1, 1, 3, 1], 3)).toEqual([1, 2, 3, 1]);
  expect(spansOf([1, 3], 3)).toEqual([1, 3]);
  expect(spansOf([2, 2], 3)).toEqual([2, 2]);
  expect(spansOf([1, 1], 1)).toEqual([1, 1]);
});

test("the system group is labelled, always last, and cannot be moved", () => {
  const { made, names } = groups(["@system/cpu %", "val/acc", "@system/memory GB"], {
    group_order: ["@system", "val"],
  });
  expect(names()).toEqual(["val", "@system"]);
  const titles = [...made.element.querySelectorAll(".tb-group-name")].map(title => title.textContent);
  expect(titles).toEqual(["val", "system"]);
  const movers = [...made.element.querySelectorAll<HTMLButtonElement>(".tb-move")];
  expect(movers.map(({ disabled }) => disabled)).toEqual([true, true, true, true]);
});

test("the system group is collapsed by default", () => {
  const { made, model } = groups(["loss", "@system/cpu %"]);
  const [own, system] = made.element.querySelectorAll<HTMLElement>(".tb-grid");
  expect([own.hidden, system.hidden]).toEqual([false, true]);
  made.element.querySelector<HTMLElement>('[data-group="@system"] .tb-group-toggle')?.click();
  expect([model.get("collapsed"), system.hidden]).toEqual([[], false]);
});

test("the default group has no heading beside only the system group", () => {
  const { made } = groups(["loss", "@system/cpu %"]);
  expect((made.element.querySelector(".tb-group-head") as HTMLElement).hidden).toBe(true);
});
