// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { Board } from "../../src/board/board.ts";
import type { TableRun } from "../../src/frames/runs-table.ts";
import { FakeModel, frame, run, table } from "../fixtures.ts";

afterEach(() => {
  document.body.replaceChildren();
});

const settled = () => new Promise(resolve => setTimeout(resolve, 0));

/** A model whose kernel records the questions and gives fixed answers. */
class Kernel extends FakeModel {
  asked: Record<string, unknown>[] = [];
  error: string | null = null;

  send(question: unknown) {
    const { id, ...rest } = question as Record<string, unknown>;
    if (rest.ask === "changes") return; // the card of what changed asks by itself
    this.asked.push(rest);
    const answer = { answers: id, ...(this.error === null ? {} : { error: this.error }) };
    for (const listener of this.listeners.get("msg:custom") ?? []) {
      (listener as (...of: unknown[]) => void)(answer, []);
    }
  }
}

function show(
  runs: Partial<TableRun>[],
  traits: Record<string, unknown> = {},
  drawn = [run(0)],
  Model = Kernel,
) {
  const model = new Model({
    keyframe: frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], { runs: drawn }),
    table: table(runs, ["loss"], key => [key, key, key]),
    panel: "runs",
    ...traits,
  });
  const el = document.createElement("div");
  document.body.append(el);
  new Board(el, model, { live: false, signal: new AbortController().signal });
  const find = <E extends HTMLElement = HTMLElement>(selector: string) => el.querySelector<E>(selector) as E;
  const rows = () => [...el.querySelectorAll<HTMLElement>(".tb-runs-rows > .tb-runs-row")];
  const names = () => rows().map(row => row.querySelector(".tb-runs-name")?.textContent);
  const grid = find(".tb-runs");
  const press = (key: string, more: KeyboardEventInit = {}) =>
    grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  return { model: model as Kernel, el, find, rows, names, press, grid };
}

const abc = [{ name: "a" }, { name: "b" }, { name: "c" }];

test("the button shows the number of runs and toggles the panel", () => {
  const { find, model } = show(abc, { panel: "" });
  const button = find<HTMLButtonElement>(".tb-runs-button");
  expect([button.textContent, button.getAttribute("aria-expanded")]).toEqual(["Runs 1 of 3", "false"]);
  expect(find(".tb-side").hidden).toBe(true);
  button.click();
  expect([model.get("panel"), button.getAttribute("aria-expanded")]).toEqual(["runs", "true"]);
  expect(find(".tb-side").hidden).toBe(false);
  find(".tb-side-line .tb-panel-close").click();
  expect(find(".tb-side").hidden).toBe(true);
});

test("the grid lists all runs, drawn or not", () => {
  const { names, rows } = show(abc);
  expect(names()).toEqual(["c", "b", "run-0"]);
  expect(rows().map(row => row.getAttribute("aria-selected"))).toEqual(["false", "false", "true"]);
});

test("while its button is pressed, the runs that pass the filter are drawn, and no others", () => {
  const { find, model } = show(abc, { run_filter: "b" });
  const [, only] = [...find(".tb-panel-foot").querySelectorAll<HTMLButtonElement>("button")];
  const drawn = () => [
    only.getAttribute("aria-pressed"),
    model.get("hidden_runs"),
    model.get("selected_runs"),
  ];
  expect([only.textContent, only.hidden, only.getAttribute("aria-pressed")]).toEqual([
    "Draw only these",
    false,
    "false",
  ]);
  only.click();
  expect([model.get("draw_filtered"), ...drawn()]).toEqual([true, "true", ["id0"], ["id1"]]);
  model.set(
    "table",
    table([...abc, { name: "bb" }, { name: "d" }], ["loss"], () => [0, 0, 0]),
  );
  expect(drawn()).toEqual(["true", ["id0"], ["id1", "id3"]]);
  model.set("run_filter", "");
  expect([only.hidden, ...drawn()]).toEqual([false, "true", [], []]);
  model.set("run_filter", "run-0");
  expect(drawn()).toEqual(["true", [], []]);
  model.set("run_filter", "d");
  only.click();
  expect([only.hidden, ...drawn()]).toEqual([false, "false", [], []]);
});

test("a later run that does not pass is not drawn once, nor has it a place in the legend", async () => {
  const { model, el } = show(abc, { run_filter: "run-0|run-1", draw_filtered: true }, [run(0), run(1)]);
  const seen: unknown[] = [];
  model.on("change:hidden_runs", () => seen.push(model.get("hidden_runs")));
  const frames = [
    [run(0), run(1), run(7)],
    [run(0), run(1), run(7), run(8)],
  ];
  for (const [i, runs] of frames.entries()) {
    model.set("keyframe", frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], { runs, seq: i + 2 }));
    await settled();
  }
  expect(seen).toEqual([["id7"], ["id7", "id8"]]);
  const chips = [...el.querySelectorAll(".tb-legend .tb-run-name")].map(chip => chip.textContent);
  expect(chips).toEqual(["run-0", "run-1"]);
  expect(el.querySelector(".tb-runs-button")?.textContent).toBe("Runs 2 of 5");
});

test("no more runs than one click adds are asked for, and the panel says so", () => {
  const many = Array.from({ length: 120 }, (_, i) => ({ name: `many ${i}`, config: { score: i } }));
  const { find, model } = show(many, { run_filter: "many", run_sort: "-config.score", draw_filtered: true });
  const scores = (model.get("selected_runs") as string[]).map(id => Number(id.slice(2)));
  expect(scores).toEqual(Array.from({ length: 50 }, (_, i) => 119 - i));
  expect(find(".tb-panel-status").textContent).toBe(
    "119 of 120 runs, 50 drawn; 69 more pass, but only 50 are added",
  );
});

test("a filter that does not parse leaves the drawn runs as they are", () => {
  const { model } = show(abc, { run_filter: "gone > 1", draw_filtered: true });
  expect([model.get("hidden_runs"), model.get("selected_runs")]).toEqual([undefined, undefined]);
});

test("only visible rows of a thousand runs are in the page", () => {
  const { rows, grid } = show(Array.from({ length: 1000 }, (_, i) => ({ name: `r${i}` })));
  expect(rows().length).toBeLessThan(60);
  expect(grid.getAttribute("aria-rowcount")).toBe("1001");
});

test("names, tags, config and metrics are shown as text", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const { find, el } = show(
    [{ id: evil, name: evil, tags: [evil], notes: evil, config: { [evil]: evil } }, {}],
    {
      run_columns: ["tags", "notes", `config.${evil}`],
    },
  );
  expect(el.querySelector("img")).toBeNull();
  expect(find(".tb-runs").textContent).toContain(evil);
});

test("a column header sorts, reverses, and resets", () => {
  const { find, names, model } = show(abc);
  const head = find(".tb-runs-head .tb-runs-sort");
  const ways = [1, 2, 3].map(() => {
    head.click();
    return [model.get("run_sort"), names().join(" "), head.parentElement?.getAttribute("aria-sort")];
  });
  expect(ways).toEqual([
    ["name", "b c run-0", "ascending"],
    ["-name", "run-0 c b", "descending"],
    ["", "c b run-0", "none"],
  ]);
});

test("a column of a metric sorts the best first, as its goal or name says", () => {
  const sortsOf = (metric: string, goals: [string, "min" | "max"][] = []) => {
    const { find, model } = show(abc, { table: table(abc, [metric], key => [key, key, key]) }, [
      run(0, { goals }),
    ]);
    find(`[data-column="summary.${metric}"] .tb-runs-sort`).click();
    return model.get("run_sort");
  };
  expect([
    sortsOf("val/loss"),
    sortsOf("acc"),
    sortsOf("size"),
    sortsOf("score", [["score", "min"]]),
  ]).toEqual(["summary.val/loss", "-summary.acc", "-summary.size", "summary.score"]);
});

test("runs are grouped by settings that differ, which are all that is offered", () => {
  const { find } = show([
    { config: { lr: 1, "trainer.bf16": true } },
    { config: { lr: 2, "trainer.bf16": true } },
  ]);
  const options = (selector: string) =>
    [...find(selector).querySelectorAll("option")].map(each => each.value);
  expect(options("[aria-label='Group runs by']")).toEqual(["", "group", "config.lr"]);
});

test("the sort column is shown even if it was not chosen", () => {
  const { find } = show(abc, { run_sort: "-max.loss", run_columns: ["state"] });
  const heads = [...find(".tb-runs-head").children].map(head => head.textContent);
  expect(heads).toEqual(["Run", "max loss", "State"]);
});

test("the search filters, counts, and reports invalid expressions", () => {
  const { find, names, model } = show(abc);
  const search = find<HTMLInputElement>('.tb-panel input[type="search"]');
  search.value = "b|c";
  search.dispatchEvent(new Event("input"));
  expect([model.get("run_filter"), names()]).toEqual(["b|c", ["c", "b"]]);
  expect(find(".tb-panel-status").textContent).toBe("2 of 3 runs, 1 drawn");
  model.set("run_filter", "(");
  expect(search.getAttribute("aria-invalid")).toBe("true");
  expect(search.title).toMatch(/^Searched as text: (?!.*searched as text)/i);
  expect(find(".tb-filter-problem").textContent).toMatch(/^Searched as text: /);
  expect(find(".tb-panel-status").textContent).toBe("0 of 3 runs, 1 drawn");
});

test("a filter that does not parse is explained under the field, and the one before it stays", () => {
  const sweep = [0.1, 0.01, 0.001].map((lr, i) => ({ name: `run-${i}`, config: { lr } }));
  const { find, names, model } = show(sweep);
  const field = find<HTMLInputElement>('.tb-panel input[type="search"]');
  const type = (text: string) => {
    field.value = text;
    field.dispatchEvent(new Event("input"));
  };
  const problem = find(".tb-filter-problem");
  type("lr > 0.001");
  expect([model.get("run_filter"), names(), problem.hidden]).toEqual([
    "lr > 0.001",
    ["run-1", "run-0"],
    true,
  ]);
  type("lr > 0.001 and lr <");
  expect([model.get("run_filter"), names()]).toEqual(["lr > 0.001", ["run-1", "run-0"]]);
  expect(problem.textContent).toBe("Expected a value after “<”. The filter before it stays.");
  expect([problem.hidden, field.getAttribute("aria-invalid")]).toEqual([false, "true"]);
  expect(field.value).toBe("lr > 0.001 and lr <");
  type("lrr > 0.001");
  expect(problem.textContent).toMatch(/; did you mean “lr”\? The filter before it stays\.$/);
  type("lr > 0.001 and lr < 0.1");
  expect([names(), problem.hidden, field.getAttribute("aria-invalid")]).toEqual([["run-1"], true, "false"]);
});

test("the filter is completed with columns and values of the runs", () => {
  const { find } = show([{ config: { optimizer: "adam" } }, { config: { optimizer: "sgd" } }]);
  const field = find<HTMLInputElement>('.tb-panel input[type="search"]');
  const offered = (text: string) => {
    field.value = text;
    field.dispatchEvent(new Event("input"));
    return [...document.querySelectorAll<HTMLOptionElement>(`#${field.getAttribute("list")} option`)].map(
      ({ value }) => value,
    );
  };
  expect(offered("opt")).toEqual(["optimizer"]);
  expect(offered("optimizer = ")).toEqual(["optimizer = adam", "optimizer = sgd"]);
});

test("more runs are shown in the order of the list", () => {
  const many = Array.from({ length: 120 }, (_, i) => ({ config: { score: (i * 37) % 120 } }));
  const { find, model } = show(many, { run_sort: "-config.score" });
  const button = find<HTMLButtonElement>(".tb-panel-foot .tb-button");
  expect(button.textContent).toBe("Show 50 more");
  button.click();
  const scores = (model.get("selected_runs") as string[]).map(id => (Number(id.slice(2)) * 37) % 120);
  expect(scores).toEqual(Array.from({ length: 50 }, (_, i) => 119 - i));
});

test("the button counts the project's runs, also those that the table leaves out", () => {
  const few = table(abc);
  Object.assign(few.header, { total: 60 });
  const { find } = show(abc, { table: few, panel: "" });
  expect(find(".tb-runs-button").textContent).toBe("Runs 1 of 60");
});

test("which runs are drawn is a choice that is seen and made in the panel", () => {
  const { find, model } = show(abc, { run_sort: "-summary.loss", drawn_runs: "newest 10" });
  const choice = find<HTMLSelectElement>(".tb-drawn-runs");
  expect(choice.selectedOptions[0].textContent).toBe("Newest 10");
  expect([...choice.options].map(({ value, text }) => [value, text])).toEqual([
    ["", "This board's runs"],
    ["newest 10", "Newest 10"],
    ["top 10 -summary.loss", "Top 10 by largest loss"],
    ["top 10 min.loss", "Top 10 by smallest loss"],
    ["all", "All 3 runs"],
    ["selected", "Selected runs only"],
  ]);
  choice.value = "top 10 min.loss";
  choice.dispatchEvent(new Event("change"));
  expect(model.get("drawn_runs")).toBe("top 10 min.loss");
  model.set("drawn_runs", "top 7 config.lr");
  expect(choice.selectedOptions[0].textContent).toBe("Top 7 by smallest lr");
});

test("a column is moved by its head, and pinned beside the names", () => {
  const { find, model, el } = show(abc, { run_columns: ["state", "duration", "summary.loss"] });
  const heads = () => [...find(".tb-runs-head").children].map(head => head.textContent);
  const head = (i: number) => find(".tb-runs-head").children[i];
  const drag = (name: string, target: Element) => target.dispatchEvent(new Event(name, { bubbles: true }));
  drag("dragstart", head(1));
  drag("drop", head(3));
  expect(model.get("run_columns")).toEqual(["duration", "summary.loss", "state"]);
  expect(heads()).toEqual(["Run", "Time", "loss", "State"]);
  drag("dragstart", head(3));
  drag("drop", head(1));
  expect(heads()).toEqual(["Run", "State", "Time", "loss"]);
  head(1).dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", altKey: true, bubbles: true }));
  expect(heads()).toEqual(["Run", "Time", "State", "loss"]);
  head(3).querySelector<HTMLElement>(".tb-runs-pin")?.click();
  expect([model.get("pinned_columns"), heads()]).toEqual([
    ["summary.loss"],
    ["Run", "loss", "Time", "State"],
  ]);
  const pinned = [...el.querySelectorAll<HTMLElement>(".tb-runs-row > .tb-pinned")];
  expect(pinned.map(({ style }) => style.left)).toEqual(["200px", "200px", "200px", "200px"]);
  const pins = [...find(".tb-runs-head").querySelectorAll<HTMLElement>(".tb-runs-pin")];
  expect(pins.map(pin => [pin.getAttribute("aria-pressed"), pin.title])).toEqual([
    ["true", "Unpin loss"],
    ["false", "Pin Time beside the names"],
    ["false", "Pin State beside the names"],
  ]);
});

test("the panel's edge and button make it wider", () => {
  const { find, model } = show(abc);
  const edge = find(".tb-side-edge");
  edge.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  expect(model.get("panel_width")).toBe(280); // of a side without a layout
  find(".tb-panel-wide").click();
  expect([model.get("panel_width"), find(".tb-side").classList.contains("tb-side-full")]).toEqual([
    6000,
    true,
  ]);
  find(".tb-panel-wide").click();
  expect([model.get("panel_width"), find(".tb-side").classList.contains("tb-side-full")]).toEqual([0, false]);
});

test("omitted older runs are reported, with and without a kernel", () => {
  const kept = table(abc);
  kept.header.omitted = 900;
  const status = (Model: typeof Kernel) =>
    show(abc, { table: kept }, [run(0)], Model).find(".tb-panel-status").textContent;
  const left = "3 runs, 1 drawn; 900 older ones";
  expect(status(Kernel)).toBe(`${left} arrive when the kernel answers`);
  expect(status(FakeModel as typeof Kernel)).toBe(`${left} are not saved in this page`);
});

test("a check box shows and hides a run", () => {
  const { rows, model } = show(abc);
  const click = (row: number) => rows()[row].querySelector("input")?.click();
  click(0);
  expect(model.get("selected_runs")).toEqual(["id2"]);
  click(2);
  expect(model.get("hidden_runs")).toEqual(["id0"]);
  click(2);
  expect(model.get("hidden_runs")).toEqual([]);
  expect(rows().map(row => row.querySelector("input")?.checked)).toEqual([true, false, true]);
});

test("keys move and select rows, and do not reach the notebook", () => {
  const heard = vi.fn();
  document.body.addEventListener("keydown", heard, { once: true });
  const { press, grid, rows, model } = show(abc);
  const active = () => rows().findIndex(({ id }) => id === grid.getAttribute("aria-activedescendant"));
  const moves = ["ArrowDown", "ArrowDown", "ArrowUp", "End", "Home"].map(key => {
    press(key);
    return active();
  });
  expect(moves).toEqual([0, 1, 0, 2, 0]);
  press(" ");
  expect(model.get("selected_runs")).toEqual(["id2"]);
  press(" ", { altKey: true });
  expect(model.get("hidden_runs")).toEqual(["id0"]);
  expect(heard).not.toHaveBeenCalled();
});

test("F2 renames in place, Escape cancels", async () => {
  const { press, find, model } = show(abc);
  press("ArrowDown");
  press("F2");
  const input = find<HTMLInputElement>(".tb-runs-rename");
  input.value = "  better ";
  input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  expect(model.asked).toEqual([{ ask: "rename", run: "id2", name: "better" }]);
  press("F2");
  const again = find<HTMLInputElement>(".tb-runs-rename");
  again.value = "worse";
  again.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  expect([model.asked.length, find(".tb-runs-rename")]).toEqual([1, null]);
  await settled();
});

test("where runs cannot be changed F2 says why, and the details are text to read", () => {
  const reading = class extends Kernel {
    readOnly = "This page only shows runs.";
  };
  const { press, find } = show([{ name: "c", tags: ["best"] }], {}, [], reading as typeof Kernel);
  press("Home");
  press("F2");
  expect(find(".tb-runs-rename")).toBe(null);
  expect(find(".tb-panel-status").textContent).toBe("This page only shows runs.");
  press("Enter");
  const [name, tags, notes] = find(".tb-overview").querySelectorAll<HTMLInputElement>(
    "input:not([type]), textarea",
  );
  expect([name.readOnly, name.value, name.parentElement?.hidden]).toEqual([true, "c", false]);
  expect([tags.readOnly, tags.value, tags.placeholder, tags.parentElement?.hidden]).toEqual([
    true,
    "best",
    "",
    false,
  ]);
  expect([notes.readOnly, notes.parentElement?.hidden]).toEqual([true, true]);
  expect(find<HTMLButtonElement>(".tb-overview .tb-danger").hidden).toBe(true);
});

test("a refusal of the kernel is shown", async () => {
  const { press, find, model } = show(abc);
  model.error = "run 'c' is being written by another process";
  press("ArrowDown");
  press("F2");
  const input = find<HTMLInputElement>(".tb-runs-rename");
  input.value = "better";
  input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await settled();
  expect(find(".tb-panel-status").textContent).toContain("being written by another process");
});

test("deleting needs a confirmation", () => {
  const { press, find, model } = show(abc);
  press("ArrowDown");
  press("Delete");
  expect([find(".tb-run-ask").hidden, find(".tb-question").textContent]).toEqual([
    false,
    "Permanently delete “c” and all its points?",
  ]);
  const [sure, keep] = find(".tb-run-ask").querySelectorAll("button");
  keep.click();
  expect([find(".tb-run-ask").hidden, model.asked]).toEqual([true, []]);
  press("Delete");
  sure.click();
  expect(model.asked).toEqual([{ ask: "delete", run: "id2" }]);
  expect(find(".tb-run-details").hidden).toBe(true);
});

test("a running run cannot be deleted, and the reason is shown", () => {
  const { press, find, model } = show([{ state: "running", ended: null }]);
  press("ArrowDown");
  press("Delete");
  expect(find(".tb-question").textContent).toContain("still running: finish it before you delete it");
  expect(find<HTMLButtonElement>(".tb-run-ask .tb-danger").hidden).toBe(true);
  expect(model.asked).toEqual([]);
});

test("tags, notes and colour are edited in the details", () => {
  const { press, find, model } = show(abc);
  press("End");
  press("Enter");
  const [, tags] = find(".tb-run-details").querySelectorAll<HTMLInputElement>("input");
  tags.value = "good, , good,keep ";
  tags.dispatchEvent(new Event("change"));
  const notes = find<HTMLTextAreaElement>(".tb-run-details textarea");
  notes.value = "why\nnot";
  notes.dispatchEvent(new Event("change"));
  expect(model.asked).toEqual([
    { ask: "tag", run: "id0", tags: ["good", "keep"] },
    { ask: "note", run: "id0", notes: "why\nnot" },
  ]);
  const color = find<HTMLInputElement>('input[type="color"]');
  color.value = "#123456";
  color.dispatchEvent(new Event("input"));
  expect(model.get("run_colors")).toEqual({ id0: "#123456" });
  [...find(".tb-run-buttons").querySelectorAll("button")]
    .find(one => one.textContent === "Default colour")
    ?.click();
  expect(model.get("run_colors")).toEqual({});
});

test("updates do not overwrite a field being edited", () => {
  const { press, find, model } = show(abc);
  press("ArrowDown");
  press("Enter");
  const name = find<HTMLInputElement>(".tb-run-details input");
  name.focus();
  name.value = "half a na";
  model.set("table", table([...abc, {}]));
  expect(name.value).toBe("half a na");
});

test("without a kernel runs are read-only", () => {
  const { press, find } = show(abc, {}, [run(0)], FakeModel as typeof Kernel);
  press("ArrowDown");
  press("Enter");
  expect(find<HTMLInputElement>(".tb-run-details input").readOnly).toBe(true);
  press("Delete");
  expect(find(".tb-run-ask").hidden).toBe(true);
});

test("columns are chosen with check boxes and can be reset", () => {
  const { find, model } = show(abc);
  [...find(".tb-panel").querySelectorAll("button")].find(one => one.textContent === "Columns")?.click();
  const box = (title: string) => find<HTMLInputElement>(`.tb-choice[title="${title}"] input`);
  box("max.loss").click();
  expect(model.get("run_columns")).toEqual(["summary.loss", "duration", "max.loss"]);
  box("duration").click();
  expect(model.get("run_columns")).toEqual(["summary.loss", "max.loss"]);
  [...find(".tb-chooser").querySelectorAll("button")].find(one => one.textContent === "Default")?.click();
  expect(model.get("run_columns")).toEqual([]);
});

test("grouped runs are under a header that folds and toggles them", () => {
  const lr = (value: number) => ({ config: { lr: value } });
  const { names, rows, press, model, grid } = show([lr(1), lr(2), lr(1)], { group_by: "config.lr" });
  expect(grid.getAttribute("role")).toBe("treegrid");
  expect(names()).toEqual(["lr 1", "run-2", "run-0", "lr 2", "run-1"]);
  press("Home");
  press(" ");
  expect(model.get("selected_runs")).toEqual(["id2"]);
  press("ArrowLeft");
  expect([names(), rows()[0].getAttribute("aria-expanded")]).toEqual([["lr 1", "lr 2", "run-1"], "false"]);
  press("ArrowRight");
  expect(names()).toHaveLength(5);
});

test("legend and charts show groups instead of their runs", () => {
  const lr = (value: number) => ({ config: { lr: value } });
  const drawn = [0, 1, 2].map(key => run(key, { state: "finished" }));
  const { el, model } = show([lr(1), lr(1), lr(2)], { group_by: "config.lr" }, drawn);
  const chips = [...el.querySelectorAll<HTMLElement>(".tb-legend .tb-run")];
  expect(chips.map(chip => chip.textContent)).toEqual(["lr 1 (2 runs)", "lr 2 (1 run)"]);
  chips[0].click();
  expect(model.get("hidden_runs")).toEqual(["id0", "id1"]);
  expect(chips[0].getAttribute("aria-pressed")).toBe("false");
});

test("a chosen colour is used for the run", () => {
  const drawn = [run(0), run(1)];
  const { el } = show([], { run_colors: { id1: "#ff0000" } }, drawn);
  const lines = [...el.querySelectorAll(".tb-legend line")].map(line => line.getAttribute("stroke"));
  expect(lines[1]).toBe("#ff0000");
});

test("with open details, a click on another run shows its details", () => {
  const { el, find, rows } = show(abc);
  const details = find(".tb-run-details");
  rows()[1].click();
  expect(details.hidden).toBe(true);
  rows()[1].querySelector<HTMLElement>(".tb-runs-more")?.click();
  const before = details.getAttribute("aria-label");
  el.querySelector<HTMLElement>("input[type=search]")?.focus();
  const focused = document.activeElement;
  rows()[2].click();
  expect([before, details.getAttribute("aria-label")]).toEqual([
    `Run ${rows()[1].querySelector(".tb-runs-name")?.textContent}`,
    `Run ${rows()[2].querySelector(".tb-runs-name")?.textContent}`,
  ]);
  expect(document.activeElement).toBe(focused);
  rows()[0].querySelector<HTMLElement>(".tb-runs-box")?.click();
  expect(details.getAttribute("aria-label")).toBe(
    `Run ${rows()[2].querySelector(".tb-runs-name")?.textContent}`,
  );
});
