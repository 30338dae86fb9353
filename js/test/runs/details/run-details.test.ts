// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Board } from "../../../src/board/board.ts";
import { FakeModel, frame, run, table } from "../../fixtures.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

type Question = Record<string, unknown>;
type Line = [number, string, string, number, null];

/** A model whose kernel answers when the test says so, and never where it returns null. */
class Kernel extends FakeModel {
  asked: Question[] = [];
  answers: Record<string, (question: Question) => object | null> = {};
  #unanswered: unknown[] = [];

  send(content: unknown) {
    const { id, ...question } = content as Question;
    if (question.ask === "changes") return; // the card of what changed asks by itself
    this.asked.push(question);
    const answer = this.answers[String(question.ask)]?.(question);
    if (answer) this.#tell({ answers: id, ...answer });
    else this.#unanswered.push(id);
  }

  /** Answer the oldest open question. */
  catchUp(answer: object) {
    this.#tell({ answers: this.#unanswered.shift(), ...answer });
  }

  #tell(content: object) {
    for (const hear of this.listeners.get("msg:custom") ?? [])
      (hear as (...of: unknown[]) => void)(content, []);
  }
}

const line = (number: number, text = `line ${number}`, stream = "stdout"): Line => [
  number,
  stream,
  text,
  1000 + number,
  null,
];
const many = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => line(first + i));

function open(
  tab: string,
  answers: Kernel["answers"],
  state: "running" | "finished" = "finished",
  kernel = true,
) {
  const runs = [
    { name: "first" },
    { state, name: "second", config: { lr: 0.003, "opt.name": "<b>adam</b>" } },
  ];
  const drawn = [run(0, { state: "finished" }), run(1, { id: "id1", name: "second", state, started: 9 })];
  const traits = {
    keyframe: frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], { runs: drawn }),
    table: table(runs, ["loss"]),
    panel: "runs",
    run_sort: "-name",
  };
  const model = kernel ? new Kernel(traits) : (new FakeModel(traits) as Kernel);
  model.answers = answers;
  const el = document.createElement("div");
  document.body.append(el);
  new Board(el, model, { live: false, signal: new AbortController().signal });
  const find = <E extends HTMLElement = HTMLElement>(selector: string) => el.querySelector<E>(selector) as E;
  const press = (target: HTMLElement, key: string, more: KeyboardEventInit = {}) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  const grid = find(".tb-runs");
  const show = (moves: string) => {
    for (const key of [moves, "Enter"]) press(grid, key);
  };
  show("Home");
  const tabs = () => [...el.querySelectorAll<HTMLElement>(".tb-run-details [role=tab]")];
  const choose = (name: string) =>
    tabs()
      .find(one => one.textContent === name)
      ?.click();
  choose(tab);
  const shown = () => find(".tb-run-details [role=tabpanel]:not([hidden])");
  const lines = () => [...shown().querySelectorAll(".tb-line > :last-child")].map(one => one.textContent);
  const said = () => shown().querySelector(".tb-polled-status")?.textContent;
  const search = async (text: string) => {
    const field = shown().querySelector<HTMLInputElement>("input") as HTMLInputElement;
    field.value = text;
    field.dispatchEvent(new Event("input"));
    await vi.advanceTimersByTimeAsync(300);
    return field;
  };
  return { model, el, find, press, show, tabs, choose, shown, lines, said, search };
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

test("the tabs are one tab stop, moved by arrows, Home and End", () => {
  const { tabs, press, shown } = open("Overview", {});
  const state = () => tabs().map(tab => [tab.getAttribute("aria-selected"), tab.tabIndex].join());
  expect(tabs().map(tab => tab.textContent)).toEqual(["Overview", "Console", "Code", "Environment"]);
  expect(state()).toEqual(["true,0", "false,-1", "false,-1", "false,-1"]);
  const moves = ["ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowRight", "End", "Home"].map(key => {
    press(tabs().find(tab => tab.tabIndex === 0) as HTMLElement, key);
    return (document.activeElement as HTMLElement).textContent;
  });
  expect(moves).toEqual(["Console", "Overview", "Environment", "Overview", "Environment", "Overview"]);
  expect(shown().getAttribute("aria-labelledby")).toBe(tabs()[0].id);
});

test("a name that is emptied is that of the run again, and the panel says why", () => {
  const { model, find, shown } = open("Overview", {});
  const name = shown().querySelector("input") as HTMLInputElement;
  const write = (text: string) => {
    name.focus();
    name.value = text;
    name.dispatchEvent(new Event("change"));
  };
  for (const text of ["", "  "]) {
    write(text);
    expect(name.value).toBe("second");
    expect(find(".tb-panel-status").textContent).toBe("Could not rename “second”: a run needs a name");
  }
  expect(model.asked).toEqual([]);
  write(" third ");
  expect(model.asked).toEqual([{ ask: "rename", run: "id1", name: "third" }]);
});

test("the overview shows the config as text", () => {
  const { shown } = open("Overview", {});
  expect(shown().querySelector("[role=heading]")?.textContent).toBe("config");
  const pairs = [...shown().querySelectorAll(".tb-pairs > *")].map(one => one.textContent);
  expect(pairs).toEqual(["lr", "0.003", "opt.name", "<b>adam</b>"]);
  expect(shown().querySelector("b")).toBeNull();
});

test("the overview shows last and best values, with their differences to the baseline", () => {
  const figures = [
    [0.5, 0.25, 2],
    [0.75, 0.125, 3],
  ] as const;
  const runs = [{ name: "first" }, { name: "second", config: { lr: 0.1 } }];
  const keyframe = frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], {
    runs: [run(0, { state: "finished" }), run(1, { state: "finished" })],
    metrics: ["loss"],
  });
  const known = table(runs, ["loss", "steps"], (at, metric) => (metric ? [7, 7, 7] : figures[at]));
  const model = new FakeModel({ keyframe, table: known, panel: "runs", run_sort: "-name" });
  const el = document.createElement("div");
  document.body.append(el);
  new Board(el, model, { live: false, signal: new AbortController().signal });
  const pairs = () => {
    const [list] = el.querySelectorAll(".tb-run-details .tb-pairs");
    return [...list.children].map(one => one.textContent);
  };
  const grid = el.querySelector(".tb-runs") as HTMLElement;
  for (const key of ["Home", "Enter"])
    grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  expect(pairs()).toEqual(["loss", "0.7500 · best ↓ 0.1250", "steps", "7"]);
  model.set("baseline", "id0");
  expect(pairs()).toEqual(["loss", "0.7500 (+0.2500) · best ↓ 0.1250 (−0.1250)", "steps", "7 (=)"]);
});

test("a tab asks when opened, and only once for an ended run", async () => {
  const { model, choose } = open("Overview", { console: () => ({ lines: [line(0)], earlier: 0 }) });
  expect(model.asked).toEqual([]);
  choose("Console");
  await settle(10_000);
  choose("Overview");
  choose("Console");
  await settle(10_000);
  expect(model.asked).toEqual([{ ask: "console", run: "id1" }]);
});

test("the console shows visible lines with stream and time, as text", async () => {
  const odd = [
    line(900, "<img src=x onerror=alert(1)>", "stderr"),
    line(901, "9 lines left out", "cut"),
    line(902),
  ];
  const { shown, lines } = open("Console", {
    console: () => ({ lines: [...many(0, 900), ...odd], earlier: 0 }),
  });
  await settle();
  expect(lines().length).toBeLessThan(60);
  const [first, cut, last] = [...shown().querySelectorAll<HTMLElement>(".tb-line")].slice(-3);
  expect([first.dataset.stream, first.children[1].textContent]).toEqual(["stderr", odd[0][2]]);
  expect(first.children[0].textContent).toMatch(/^\d\d:\d\d:\d\d$/);
  expect([cut.dataset.stream, cut.children.length, last.dataset.stream]).toEqual(["cut", 1, "stdout"]);
  expect(shown().querySelector("img")).toBeNull();
});

test("the console follows new and overwritten lines until the run ends", async () => {
  let told: Line[] = [line(0), line(1, "10%")];
  const { model, lines } = open(
    "Console",
    {
      console: ({ after }) =>
        after === undefined ? { lines: told, earlier: 0 } : { lines: told, more: false },
    },
    "running",
  );
  await settle();
  told = [line(1, "100%"), line(2, "done")];
  await settle(1100);
  expect(lines()).toEqual(["line 0", "100%", "done"]);
  expect(model.asked.at(-1)).toEqual({ ask: "console", run: "id1", after: 1 });
  const ended = [run(0, { state: "finished" }), run(1, { id: "id1", name: "second", state: "finished" })];
  model.set("keyframe", frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], { runs: ended, seq: 2 }));
  await settle(1100);
  const { length } = model.asked;
  await settle(10_000);
  expect(model.asked).toHaveLength(length);
});

test("a console that is not visible is not polled", async () => {
  const { model, choose } = open("Console", { console: () => ({ lines: [], earlier: 0 }) }, "running");
  await settle(2100);
  const { length } = model.asked;
  choose("Overview");
  await settle(5000);
  model.set("panel", "");
  choose("Console");
  await settle(5000);
  expect([length > 1, model.asked.length]).toEqual([true, length]);
});

test("scrolling to the top loads earlier lines", async () => {
  const { model, find } = open("Console", {
    console: ({ before }) =>
      before === undefined ? { lines: many(50, 150), earlier: 50 } : { lines: many(0, 50), earlier: 0 },
  });
  await settle();
  const scroller = find(".tb-console");
  Object.defineProperty(scroller, "scrollHeight", { value: 100 * 18 });
  scroller.scrollTop = 0;
  scroller.dispatchEvent(new Event("scroll"));
  await settle(100);
  expect(model.asked.at(-1)).toEqual({ ask: "console", run: "id1", before: 50 });
  expect(scroller.scrollTop).toBe(50 * 18);
});

test("a search marks, counts and steps through matches", async () => {
  const { model, shown, press, search } = open("Console", {
    console: ({ search }) =>
      search
        ? { found: [3, 12, 21] }
        : { lines: many(0, 30).map(([n]) => line(n, `${n % 9}(a)b`)), earlier: 0 },
  });
  await settle();
  const field = await search("3(A)");
  expect(model.asked.at(-1)).toEqual({ ask: "console", run: "id1", search: "3(A)" });
  const count = () => shown().querySelector(".tb-number[role=status]")?.textContent;
  const marks = [...shown().querySelectorAll("mark")].map(mark => mark.textContent);
  expect(marks).toEqual(["3(a)", "3(a)", "3(a)"]);
  const steps = [{}, { shiftKey: true }, { shiftKey: true }].map(more => {
    press(field, "Enter", more);
    return count();
  });
  expect(steps).toEqual(["1 of 3", "3 of 3", "2 of 3"]);
  expect(shown().querySelector("[aria-current]")?.textContent).toContain("3(a)b");
  press(field, "Escape");
  expect(shown().isConnected && !shown().closest("[hidden]")).toBe(true);
  await search("");
  expect([count(), shown().querySelector("mark")]).toEqual(["", null]);
});

test("an earlier match is loaded with all lines in between", async () => {
  const { model, lines, search } = open("Console", {
    console: ({ search, before, since }) => {
      if (search) return { found: [200] };
      if (before === undefined) return { lines: many(900, 1900), earlier: 900 };
      return { lines: many(Number(since), 900), earlier: Number(since) };
    },
  });
  await settle();
  await search("line 200");
  expect(model.asked.find(({ since }) => since !== undefined)).toMatchObject({ before: 900, since: 150 });
  expect(lines()).toContain("line 200");
});

test("a busy kernel is reported, late answers stay with their run", async () => {
  const { model, said, show, lines } = open("Console", {});
  await settle(2000);
  expect(said()).toBe("The kernel is busy: this appears when the cell ends.");
  show("End");
  model.catchUp({ lines: [line(0, "of the other run")], earlier: 0 });
  await settle();
  expect(lines()).toEqual([]);
  model.catchUp({ lines: [line(0, "of this run")], earlier: 0 });
  await settle();
  expect([lines(), said()]).toEqual([["of this run"], ""]);
});

test("without a kernel each tab says what it requires", async () => {
  const { said, choose } = open("Console", {}, "finished", false);
  for (const tab of ["Console", "Code", "Environment"]) {
    choose(tab);
    await settle();
    expect(said()).toContain("requires a kernel");
  }
});

test("the reason of a refusal is shown", async () => {
  const { said } = open("Code", { cells: () => ({ error: "this run is no longer in the project" }) });
  await settle();
  expect(said()).toBe("this run is no longer in the project");
});

test("each tab has its own text for missing data", async () => {
  const nothing = { console: { lines: [], earlier: 0 }, cells: { cells: [], earlier: 0 } };
  const { said, choose } = open("Console", {
    console: () => nothing.console,
    cells: () => nothing.cells,
    environment: () => ({ environment: null }),
  });
  const all = [];
  for (const tab of ["Console", "Code", "Environment"]) {
    choose(tab);
    await settle();
    all.push(said());
  }
  expect(all).toEqual(["No output was recorded.", "No code was recorded.", "No environment was recorded."]);
});

test("cells show number, state, duration, error, output and differences", async () => {
  const cell = {
    count: 3,
    source: "a < b\nc",
    started: 0,
    ended: 0.25,
    state: "ok",
    error: null,
    output: null,
  };
  const { shown } = open("Code", {
    cells: () => ({
      cells: [
        { ...cell, dirty: "edited since" },
        { ...cell, count: 4, source: null, ended: 90, state: "error", error: "NameError: <b>" },
        { ...cell, count: 5, source: "x", ended: 2, output: "<trackbook run>" },
      ],
      earlier: 2,
    }),
  });
  await settle();
  const heads = [...shown().querySelectorAll(".tb-cell-head")].map(head =>
    [...head.children].map(part => part.textContent),
  );
  expect(heads).toEqual([
    ["In [3]", "edited since", "250 ms"],
    ["In [4]", "error", "1:30"],
    ["In [5]", "2.0 s"],
  ]);
  expect([...shown().querySelectorAll(".tb-code")].map(code => code.textContent)).toEqual([
    "a < b\nc",
    "NameError: <b>",
    "x",
    "<trackbook run>",
  ]);
  expect(shown().textContent).toContain("The code was not recorded.");
  expect(shown().textContent).toContain("2 earlier cells");
});

test("the source of a script comes before its cells", async () => {
  const script = { path: "/home/me/train.py", source: "lr = 1\n<b>" };
  const { shown } = open("Code", { cells: () => ({ cells: [], earlier: 0, script }) });
  await settle();
  expect(shown().querySelector(".tb-cell-head")?.textContent).toBe("/home/me/train.py");
  expect(shown().querySelector(".tb-code")?.textContent).toBe("lr = 1\n<b>");
});

test("the environment has topics, searchable packages and a diff", async () => {
  const { shown, search } = open("Environment", {
    environment: () => ({
      environment: {
        os: { name: "Linux", none: null },
        cpus: [{ model: "EPYC" }],
        gpus: [{ name: "A" }, { name: "B" }],
        process: {},
        packages: { numpy: "2.1.0", polars: "1.9" },
        git: { branch: "main", diff: "-a\n+<b>" },
      },
    }),
  });
  await settle();
  const headings = [...shown().querySelectorAll("[role=heading], summary")].map(one => one.textContent);
  expect(headings).toEqual(["os", "cpus", "gpus", "packages 2", "git", "diff"]);
  const pairs = () => [...shown().querySelectorAll("[role=term]")].map(one => one.textContent);
  expect(pairs()).toEqual(["name", "model", "0.name", "1.name", "numpy", "polars", "branch"]);
  await search("POL");
  expect(pairs()).toEqual(["name", "model", "0.name", "1.name", "polars", "branch"]);
  expect(shown().querySelector(".tb-code")?.textContent).toBe("-a\n+<b>");
});

test("deleting a run asks in the overview tab", () => {
  const { find, press, tabs } = open("Code", { cells: () => null });
  press(find(".tb-runs"), "Delete");
  expect([tabs()[0].getAttribute("aria-selected"), find(".tb-run-ask").hidden]).toEqual(["true", false]);
});
