// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Legend } from "../../src/board/legend.ts";
import { legendValues } from "../../src/board/legend-values.ts";
import type { Picture } from "../../src/frames/picture.ts";
import { storeOf } from "../../src/frames/picture-store.ts";
import type { RunHeader } from "../../src/frames/protocol.ts";
import { ViewState } from "../../src/frames/view-state.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { FakeModel, frame, run } from "../fixtures.ts";

function legend(runs: RunHeader[] = [run(0), run(1), run(2)]) {
  const { signal } = new AbortController();
  const model = new FakeModel();
  const show = () => made.update([...styleRuns(runs, "light").values()]);
  const made: Legend = new Legend(new ViewState(model, show, signal), signal);
  show();
  const chip = (id: string) => made.element.querySelector(`[data-run="${id}"]`) as HTMLButtonElement;
  return { made, model, chip };
}

test("each run has a chip with its name", () => {
  const { made } = legend();
  expect([...made.element.querySelectorAll(".tb-run-name")].map(name => name.textContent)).toEqual([
    "run-0",
    "run-1",
    "run-2",
  ]);
});

test("a click hides a run, a second click shows it", () => {
  const { model, chip } = legend();
  chip("id1").click();
  expect([model.get("hidden_runs"), chip("id1").getAttribute("aria-pressed")]).toEqual([["id1"], "false"]);
  chip("id1").click();
  expect([model.get("hidden_runs"), chip("id1").getAttribute("aria-pressed")]).toEqual([[], "true"]);
});

test("Alt-click shows only one run, a second one all runs", () => {
  const { model, chip } = legend();
  const altClick = () => chip("id1").dispatchEvent(new MouseEvent("click", { altKey: true }));
  altClick();
  expect(model.get("hidden_runs")).toEqual(["id0", "id2"]);
  altClick();
  expect(model.get("hidden_runs")).toEqual([]);
});

test("a double-click shows only one run", () => {
  const { model, chip } = legend();
  chip("id2").click();
  chip("id2").click();
  chip("id2").dispatchEvent(new MouseEvent("dblclick"));
  expect(model.get("hidden_runs")).toEqual(["id0", "id1"]);
});

test("only runs that did not finish have an icon", () => {
  const { chip } = legend([
    run(0),
    run(1, { state: "finished" }),
    run(2, { state: "failed", error: "ValueError: no" }),
  ]);
  expect([chip("id0"), chip("id1")].map(c => c.querySelector(".tb-state"))).toEqual([null, null]);
  expect(chip("id2").querySelector<HTMLElement>(".tb-state")?.title).toBe("ValueError: no");
});

test("a single run has no legend", () => {
  expect(legend([run(0)]).made.element.hidden).toBe(true);
});

test("names with markup are shown as text", () => {
  const { made } = legend([run(0, { name: "<img src=x onerror=alert(1)>" }), run(1)]);
  expect(made.element.querySelector("img")).toBeNull();
  expect(made.element.textContent).toContain("<img src=x");
});

test("chips are reused, so that focus survives a frame", () => {
  const { made, model, chip } = legend();
  const before = [...made.element.children];
  model.set("hidden_runs", ["id0"]);
  expect([...made.element.children]).toEqual(before);
  expect(chip("id0")).toBe(before[0]);
});

test("of many runs the newest have a chip, and the rest are a button to the panel", () => {
  const runs = Array.from({ length: 60 }, (_, key) => run(key));
  const { made, model } = legend(runs);
  const chips = [...made.element.children] as HTMLElement[];
  expect(chips).toHaveLength(31);
  expect([chips[0].dataset.run, chips[29].dataset.run, chips[30].textContent]).toEqual([
    "id30",
    "id59",
    "+30 more",
  ]);
  chips[30].click();
  expect(model.get("panel")).toBe("runs");
});

test("of many runs those that are drawn have the chips", () => {
  const runs = Array.from({ length: 60 }, (_, key) => run(key));
  const { made, model } = legend(runs);
  model.set(
    "hidden_runs",
    runs.slice(2).map(({ id }) => id),
  );
  const ids = [...made.element.querySelectorAll<HTMLElement>("[data-run]")].map(({ dataset }) => dataset.run);
  expect(ids).toHaveLength(30);
  expect(ids.slice(0, 2)).toEqual(["id0", "id1"]);
});

test("a chip has the best value of the first metric with a defined goal, and its difference to the baseline's", () => {
  const runs = [run(0, { goals: [["val/*", "max"]] }), run(1), run(2)];
  const rows = (values: number[]) => values.map((value, step) => [step, 0, value]);
  const series = [
    { run: 0, metric: 0, rows: rows([9]) },
    { run: 0, metric: 1, rows: rows([0.5, 0.75, 0.25]) },
    { run: 1, metric: 1, rows: rows([0.5, Number.NaN]) },
  ];
  const keyframe = frame(series, { runs, metrics: ["loss", "val/acc"] });
  const picture = storeOf(new FakeModel({ keyframe })).picture as Picture;
  const textsOf = (baseline: string, all = picture) => {
    const { made } = legend(runs);
    made.update([...styleRuns(runs, "light").values()], new Map(), null, legendValues(all, baseline));
    return [...made.element.querySelectorAll(".tb-number")].map(({ textContent }) => textContent);
  };
  expect(textsOf("")).toEqual(["↑ 0.7500", "↑ 0.5000"]);
  expect(textsOf("id0")).toEqual(["↑ 0.7500", "↑ 0.5000 (−0.2500)"]);
  expect(textsOf("id0", { ...picture, runs: [run(0), run(1), run(2)] })).toEqual([]);
});

test("colours by a column are explained before the runs", () => {
  const values = [
    { text: "adam", color: "#112233" },
    { text: "sgd", color: "#445566" },
  ];
  const { made } = legend();
  const styles = [...styleRuns([run(0), run(1)], "light").values()];
  made.update(styles, new Map(), { title: "optimizer", values, isRamp: false });
  expect(made.element.firstElementChild?.textContent).toBe("optimizeradamsgd");
  made.update(styles, new Map(), { title: "lr", values, isRamp: true });
  expect(made.element.querySelectorAll(".tb-key-ramp")).toHaveLength(1);
  made.update(styles);
  expect(made.element.querySelector(".tb-color-key")).toBeNull();
});

test("runs that the filter hides have no chip, and showing all others again leaves them hidden", () => {
  const { made, model } = legend();
  const styles = [...styleRuns([run(0), run(1), run(2)], "light").values()];
  const update = () => made.update(styles, new Map(), null, () => null, new Set(["id0"]));
  model.set("hidden_runs", ["id0"]);
  update();
  const names = () => [...made.element.querySelectorAll(".tb-run-name")].map(name => name.textContent);
  expect([names(), made.element.hidden]).toEqual([["run-1", "run-2"], false]);
  const altClick = () => {
    const chip = made.element.querySelector('[data-run="id1"]');
    chip?.dispatchEvent(new MouseEvent("click", { altKey: true }));
    update();
    return model.get("hidden_runs");
  };
  expect([altClick(), names()]).toEqual([
    ["id0", "id2"],
    ["run-1", "run-2"],
  ]);
  expect(altClick()).toEqual(["id0"]);
});

test("a group with runs that the filter hides is shown and hidden by the others", () => {
  const { made, model } = legend();
  const styles = [...styleRuns([run(0, { id: "g" }), run(1, { id: "h" })], "light").values()];
  const members = new Map([
    ["g", ["a", "b"]],
    ["h", ["c"]],
  ]);
  const update = () => made.update(styles, members, null, () => null, new Set(["a", "c"]));
  model.set("hidden_runs", ["a", "c"]);
  update();
  const chip = made.element.querySelector<HTMLElement>('[data-run="g"]');
  expect([made.element.querySelectorAll(".tb-run").length, chip?.getAttribute("aria-pressed")]).toEqual([
    1,
    "true",
  ]);
  chip?.click();
  update();
  expect([model.get("hidden_runs"), chip?.getAttribute("aria-pressed")]).toEqual([["a", "c", "b"], "false"]);
  chip?.click();
  expect(model.get("hidden_runs")).toEqual(["a", "c"]);
});
