// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { ChartGroups } from "../../src/board/chart-groups.ts";
import { orderGroups } from "../../src/board/chart-layout.ts";
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

test("a group spans as many columns as it has charts", () => {
  const { made } = groups(["lr", "train/a", "train/b", "val/a", "val/b", "val/c"], { columns: 3 });
  const spans = [...made.element.querySelectorAll<HTMLElement>(".tb-group")].map(
    ({ style }) => style.gridColumn,
  );
  expect(spans).toEqual(["span 1", "span 2", "span 3"]);
});

test("the system group is labelled, always last, and cannot be moved", () => {
  const { made, names } = groups(["@system/cpu %", "val/acc", "@system/memory GB"], {
    group_order: ["@system", "val"],
  });
  expect(names()).toEqual(["val", "@system"]);
  const titles = [...made.element.querySelectorAll(".tb-group-name")].map(title => title.textContent);
  expect(titles).toEqual(["val", "system"]);
  const movers = [...made.element.querySelectorAll<HTMLButtonElement>(".tb-moves > *")];
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

test("a group of a large board shows a page of its charts, and turning it shows the next", () => {
  const { made, charts } = groups(
    Array.from({ length: 100 }, (_, i) => `m/${i}`),
    { columns: 3 },
  );
  expect(charts()).toEqual(Array.from({ length: 12 }, (_, i) => `m/${i}`));
  const pager = made.element.querySelector(".tb-pager") as HTMLElement;
  expect([pager.hidden, pager.textContent]).toEqual([false, "‹1–12 of 100›"]);
  (pager.lastElementChild as HTMLElement).click();
  expect(charts().at(0)).toBe("m/12");
});

test("jumping to a chart unfolds its group and turns its page", () => {
  const names = [
    ...Array.from({ length: 30 }, (_, i) => `a/${i}`),
    ...Array.from({ length: 30 }, (_, i) => `b/${i}`),
  ];
  const { made, charts, model } = groups(names, { columns: 3 });
  expect(charts()).not.toContain("b/29");
  made.jumpTo("b/29");
  expect(charts()).toContain("b/29");
  expect(model.get("expanded")).toEqual(["b"]);
  expect(made.element.querySelector(".tb-found-chart")?.getAttribute("data-metric")).toBe("b/29");
});

test("a chart takes the columns and rows of its size, as far as there are columns", () => {
  const { made } = groups(["a/x", "a/y"], { columns: 2, chart_height: 100, chart_sizes: { "a/x": "3x2" } });
  const { style } = made.element.querySelector('[data-metric="a/x"]') as HTMLElement;
  expect([style.gridColumn, style.gridRow]).toEqual(["span 2", "span 2"]);
  expect(style.getPropertyValue("--tb-plot-height")).toBe("236px");
});

test("a folded group takes one column", () => {
  const { made } = groups(["a/x", "a/y", "b/x"], { columns: 3, collapsed: ["a"] });
  const [first] = made.element.querySelectorAll<HTMLElement>(".tb-group");
  expect(first.style.gridColumn).toBe("span 1");
});

test("charts of groups that fold by themselves are made when they are unfolded", () => {
  const { made, charts, model } = groups(
    Array.from({ length: 60 }, (_, i) => `g${Math.floor(i / 10)}/${i}`),
    { columns: 3 },
  );
  expect(charts()).toHaveLength(10);
  made.element.querySelector<HTMLElement>('[data-group="g3"] .tb-group-toggle')?.click();
  expect([charts().length, model.get("expanded")]).toEqual([20, ["g3"]]);
});
