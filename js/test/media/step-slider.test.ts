// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { placeOfStep, StepSlider } from "../../src/media/step-slider.ts";

test("a step's place is that of the last one not after it", () => {
  const steps = [0, 10, 20];
  expect([-5, 0, 9, 10, 19, 20, 99].map(step => placeOfStep(steps, step))).toEqual([0, 0, 0, 1, 1, 2, 2]);
  expect(placeOfStep([], 3)).toBe(0);
});

function slider() {
  const chosen: [number | null, boolean][] = [];
  const made = new StepSlider((step, done) => chosen.push([step, done]), new AbortController().signal);
  made.update([0, 10, 20], 1, false);
  const range = made.element.querySelector("input") as HTMLInputElement;
  const press = (name: string) =>
    made.element.querySelector<HTMLButtonElement>(`[aria-label="${name}"]`)?.click();
  return { made, range, chosen, press };
}

test("moving the slider chooses a step, and its end follows the newest", () => {
  const { range, chosen, press } = slider();
  range.value = "0";
  range.dispatchEvent(new Event("input"));
  range.dispatchEvent(new Event("change"));
  range.value = "2";
  range.dispatchEvent(new Event("change"));
  press("Newest step");
  expect(chosen).toEqual([
    [0, false],
    [0, true],
    [null, true],
    [null, true],
  ]);
});

test("by the keyboard a step stays chosen until the slider is left", () => {
  const { made, range, chosen } = slider();
  document.body.append(made.element);
  range.focus();
  const matches = vi.spyOn(made.element, "querySelector").mockImplementation(() => range);
  range.value = "0";
  range.dispatchEvent(new Event("change"));
  expect(chosen).toEqual([[0, false]]);
  matches.mockRestore();
  made.element.dispatchEvent(new FocusEvent("focusout", { relatedTarget: range, bubbles: true }));
  expect(chosen).toEqual([[0, false]]);
  range.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  expect(chosen).toEqual([
    [0, false],
    [0, true],
  ]);
});

test("its buttons go one step back and on, and say where it is", () => {
  const { made, range, chosen, press } = slider();
  press("Previous step");
  press("Next step");
  expect(chosen).toEqual([
    [0, true],
    [null, true],
  ]);
  expect(range.getAttribute("aria-valuetext")).toBe("step 10, 2 of 3");
  made.update([5], 0, true);
  expect(made.element.hidden).toBe(true);
});
