// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { Controls } from "../../src/board/controls.ts";
import { ViewState } from "../../src/frames/view-state.ts";
import { FakeModel } from "../fixtures.ts";

function controls(traits: Record<string, unknown> = {}) {
  const { signal } = new AbortController();
  const model = new FakeModel(traits);
  const state = new ViewState(model, () => made.update(false), signal);
  const unzoom = vi.fn();
  const made: Controls = new Controls(state, unzoom, { names: () => [], jump: () => {} }, signal);
  made.update(false);
  const find = <E extends Element>(selector: string) => made.element.querySelector(selector) as E;
  return { made, model, unzoom, find };
}

function type(input: HTMLInputElement | HTMLSelectElement, value: string) {
  input.value = value;
  input.dispatchEvent(new Event(input instanceof HTMLSelectElement ? "change" : "input"));
}

test("controls show the values of their traits", () => {
  const { find } = controls({ smoothing: 7, x_axis: "time", metric_filter: "loss" });
  expect(Number(find<HTMLInputElement>(".tb-smoothing").value)).toBeCloseTo(7 / 8);
  expect(find(".tb-amount").textContent).toBe("0.88");
  expect(find<HTMLSelectElement>(".tb-x-axis").value).toBe("time");
  expect(find<HTMLInputElement>(".tb-filter").value).toBe("loss");
});

test("controls set their traits", () => {
  const { model, find } = controls();
  type(find(".tb-smoothing"), "0.833");
  type(find(".tb-x-axis"), "relative");
  type(find(".tb-filter"), "acc");
  expect(model.traits).toMatchObject({ smoothing: 5, x_axis: "relative", metric_filter: "acc" });
});

test("controls follow traits that Python sets", () => {
  const { model, find } = controls();
  model.set("smoothing", 12);
  expect(Number(find<HTMLInputElement>(".tb-smoothing").value)).toBeCloseTo(12 / 13);
});

test("an invalid regular expression is marked with the reason", () => {
  const { find } = controls({ metric_filter: "loss(" });
  expect(find(".tb-filter").getAttribute("aria-invalid")).toBe("true");
  expect(find(".tb-filter").getAttribute("title")).toBe("Searched as text: unterminated group");
});

test("the reset button is shown only while zoomed", () => {
  const { made, unzoom } = controls();
  const button = made.unzoom;
  expect(button.hidden).toBe(true);
  made.update(true);
  expect(button.hidden).toBe(false);
  button.click();
  expect(unzoom).toHaveBeenCalledOnce();
});

test("x may be any metric, also one that is not logged yet", () => {
  const { made, model, find } = controls();
  made.update(false, ["loss", "epoch"]);
  type(find(".tb-x-axis"), "epoch");
  expect(model.get("x_axis")).toBe("epoch");
  model.set("x_axis", "to come");
  expect(find<HTMLSelectElement>(".tb-x-axis").value).toBe("to come");
});

test("smoothing of 0 is automatic until that is turned off, and any amount is explained as weight and window", () => {
  const { find, model } = controls();
  const amount = find<HTMLButtonElement>(".tb-amount");
  expect(amount.textContent).toBe("auto");
  amount.click();
  expect([amount.textContent, model.get("auto_smoothing")]).toEqual(["0", false]);
  model.set("smoothing", 9);
  expect([amount.textContent, amount.title]).toEqual([
    "0.90",
    "0.90: the mean of 19 points, 9 to each side; as smooth as an exponential average of this weight",
  ]);
  amount.click();
  expect([model.get("smoothing"), model.get("auto_smoothing")]).toEqual([0, true]);
});
