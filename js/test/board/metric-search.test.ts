// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { findMetrics, MetricSearch } from "../../src/board/metric-search.ts";

const MANY = Array.from({ length: 50 }, (_, i) => `group${i}/metric_${i}`);

function search(names: readonly string[]) {
  const field = document.createElement("input");
  const jump = vi.fn();
  const { element } = new MetricSearch(field, { names: () => names, jump }, new AbortController().signal);
  const type = (text: string) => {
    field.value = text;
    field.dispatchEvent(new Event("input"));
  };
  const press = (key: string) => field.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
  const shown = () => [...element.querySelectorAll("[data-metric]")].map(item => item.textContent);
  return { element, jump, type, press, shown };
}

test("names whose last part begins with the text come first", () => {
  expect(findMetrics(["a/val_loss", "loss/x", "b/loss"], "loss")).toEqual(["b/loss", "a/val_loss", "loss/x"]);
  expect(findMetrics(["a"], "")).toEqual([]);
});

test("a click on what is found jumps there", () => {
  const { element, jump, type, shown } = search(MANY);
  type("metric_17");
  expect(shown()).toEqual(["group17/metric_17"]);
  element.firstElementChild?.dispatchEvent(
    new MouseEvent("pointerdown", { bubbles: true, cancelable: true }),
  );
  expect(jump).toHaveBeenCalledWith("group17/metric_17");
  expect(element.hidden).toBe(true);
});

test("arrows choose, Enter jumps, and Enter alone leaves the filter as it is", () => {
  const { jump, type, press, shown } = search(MANY);
  type("metric_1");
  press("Enter");
  expect(jump).not.toHaveBeenCalled();
  press("ArrowDown");
  press("ArrowDown");
  press("Enter");
  expect(jump).toHaveBeenCalledWith(shown()[1]);
});

test("a board of few charts has no list, as they are all in sight", () => {
  const { element, type } = search(MANY.slice(0, 20));
  type("metric");
  expect(element.hidden).toBe(true);
});
