// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Board } from "../../src/board/board.ts";
import { type Applied, applyParameters, followView } from "../../src/hosts/url-parameters.ts";
import { detectTheme } from "../../src/ui/theme.ts";
import { FakeModel, frame, run, table } from "../fixtures.ts";

const complain = vi.spyOn(console, "warn").mockImplementation(() => {});
let ends = new AbortController();

beforeEach(() => {
  vi.useFakeTimers();
  ends = new AbortController();
  history.replaceState(null, "", "/");
});

afterEach(() => {
  ends.abort();
  complain.mockClear();
  document.body.replaceChildren();
  for (const name of ["theme", "tbSidebar", "tbNavbar"]) delete document.documentElement.dataset[name];
  vi.useRealTimers();
});

const picture = (runs = 2) =>
  frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], {
    runs: Array.from({ length: runs }, (_, key) => run(key)),
    metrics: ["train_loss", "val_loss", "lr"],
  });

function open(search: string, traits: Record<string, unknown> = {}, known: string[] = []) {
  history.replaceState(null, "", `/${search}`);
  const model = new FakeModel({ keyframe: picture(), ...traits });
  const applied = applyParameters(model, location.search, known);
  followView(model, applied, ends.signal);
  return { model, applied };
}

function change(model: FakeModel, name: string, value: unknown) {
  model.set(name, value);
  vi.runAllTimers();
}

const notes = () => complain.mock.calls.map(([text]) => String(text)).join("\n");

test("parameters set the traits of the model", () => {
  const { model, applied } = open(
    "?project=p&metrics=train_loss,val_loss&metric_filter=loss%24&smoothing=8&x_axis=relative&y_scale=log",
  );
  expect(applied.project).toBe("p");
  expect(model.traits).toMatchObject({
    shown_metrics: ["train_loss", "val_loss"],
    metric_filter: "loss$",
    smoothing: 8,
    x_axis: "relative",
    y_scale: "log",
  });
  expect(model.saved).toBe(1);
  expect(notes()).toBe("");
});

test("sidebar, navbar and theme mark the page", () => {
  const { model } = open("?sidebar=hidden&navbar=hidden&theme=dark", { panel: "runs" });
  expect(document.documentElement.dataset).toMatchObject({ tbSidebar: "hidden", tbNavbar: "hidden" });
  expect(detectTheme(window)).toBe("dark");
  expect(model.get("panel")).toBe("");
});

test("the marks of a page go with its address", () => {
  open("?sidebar=hidden&navbar=hidden&theme=dark");
  open("");
  const { theme, tbSidebar, tbNavbar } = document.documentElement.dataset;
  expect([theme, tbSidebar, tbNavbar]).toEqual([undefined, undefined, undefined]);
});

test("a collapsed sidebar can be opened, and stays open in the address", () => {
  const { model } = open("?sidebar=collapsed", { panel: "runs" });
  expect(model.get("panel")).toBe("");
  change(model, "panel", "runs");
  expect(location.search).toBe("?sidebar=collapsed&panel=runs");
  expect(open(location.search, { panel: "runs" }).model.get("panel")).toBe("runs");
});

test("what is ignored is listed once in the console", () => {
  const { model } = open("?foo=1&smoothing=125&theme=red&xmin=a&y_scale=cubic&view=x", {}, ["view"]);
  expect(complain).toHaveBeenCalledTimes(1);
  for (const part of [
    "no parameter “foo”",
    "smoothing is a whole number from 0 to 99, not 125: 99 is used",
    "theme is “light” or “dark”, not “red”",
    "xmin is a number, not “a”",
    "y_scale is “linear” or “log”, not “cubic”",
  ])
    expect(notes()).toContain(part);
  expect(notes()).not.toContain("view");
  expect(model.traits).toMatchObject({ smoothing: 99 });
  expect(model.traits).not.toHaveProperty("y_scale");
  expect(document.documentElement.dataset.theme).toBeUndefined();
});

test("runs are shown alone, by id or by the newest of a name", () => {
  const runs = {
    keyframe: picture(),
    table: table([{ id: "id0" }, { id: "id1" }, { id: "old", name: "base" }]),
  };
  const { model } = open("?runs=run-1,base,none", runs);
  expect(model.traits).toMatchObject({ hidden_runs: ["id0"], selected_runs: ["old"] });
  expect(notes()).toContain("there is no run “none”");
});

test("runs that are not known yet are chosen when they come", async () => {
  const { model } = open("?run=run-1", { keyframe: undefined });
  expect(model.traits).not.toHaveProperty("hidden_runs");
  model.set("keyframe", picture());
  await vi.runAllTimersAsync();
  expect(model.get("hidden_runs")).toEqual(["id0"]);
  expect(location.search).toBe("?run=run-1");
});

test("the view is written into the address, and unknown parameters are kept", () => {
  const { model } = open("?foo=1&metrics=train_loss,val_loss");
  change(model, "smoothing", 4);
  change(model, "hidden_runs", ["id0"]);
  change(model, "metric_filter", "a&b=c#d");
  expect(location.search).toBe(
    "?foo=1&metrics=train_loss,val_loss&smoothing=4&hidden_runs=id0&metric_filter=a%26b%3Dc%23d",
  );
  change(model, "smoothing", 0);
  change(model, "hidden_runs", []);
  change(model, "metric_filter", "");
  change(model, "shown_metrics", []);
  expect(location.search).toBe("?foo=1");
});

test("the address brings the view back", () => {
  const view = {
    smoothing: 7,
    x_axis: "val_loss",
    x_scale: "log",
    metric_filter: "(a|b)\\d+",
    shown_metrics: ["loss, mean", "lr"],
    hidden_runs: ["id1"],
    panel: "compare",
    group_by: "config.lr",
    link_x: false,
    columns: 3,
    y_ranges: { train_loss: [0, null] },
    reference_lines: { lr: [0.1, 0.2] },
    chart_groups: { lr: "rates" },
    chart_sizes: { train_loss: "2x1" },
    combined: { "both: of": ["train_loss", "val_loss"] },
    run_colors: { id1: "#123456" },
  };
  const { model } = open("");
  for (const [name, value] of Object.entries(view)) change(model, name, value);
  const { model: again } = open(location.search);
  expect(again.traits).toMatchObject(view);
  expect(notes()).toBe("");
});

test("a setting of the page itself is written where it is changed to the default", () => {
  const { model } = open("", { smoothing: 5 });
  change(model, "smoothing", 0);
  expect(location.search).toBe("?smoothing=0");
  expect(open(location.search, { smoothing: 5 }).model.get("smoothing")).toBe(0);
});

test("changes in quick succession are written once", () => {
  const write = vi.spyOn(history, "replaceState");
  const { model } = open("");
  write.mockClear();
  for (let amount = 1; amount <= 20; amount++) model.set("smoothing", amount);
  vi.runAllTimers();
  expect(write).toHaveBeenCalledTimes(1);
  write.mockRestore();
});

test("nothing is written after the view has ended", () => {
  const { model } = open("");
  model.set("smoothing", 3);
  ends.abort();
  vi.runAllTimers();
  expect(location.search).toBe("");
});

test("a view too long for an address is written without its lists", () => {
  const { model } = open("");
  change(model, "smoothing", 3);
  change(
    model,
    "hidden_runs",
    Array.from({ length: 2000 }, (_, i) => `run-${i}`),
  );
  change(model, "chart_sizes", { ["x".repeat(9000)]: "2x1" });
  expect(location.search).toBe("?smoothing=3");
});

test("mappings are written so that a person can read them", () => {
  const { model } = open("");
  change(model, "y_ranges", { "train/loss": [0, 2], acc: [null, 1] });
  expect(location.search).toBe("?y_ranges=train/loss:0:2,acc::1");
  change(model, "y_ranges", {});
  expect(location.search).toBe("");
});

test("a page that may not change its address goes on", () => {
  vi.spyOn(console, "debug").mockImplementationOnce(() => {});
  const write = vi.spyOn(history, "replaceState");
  const { model } = open("");
  write.mockImplementation(() => {
    throw new DOMException("not in this frame", "SecurityError");
  });
  expect(() => change(model, "smoothing", 3)).not.toThrow();
  expect(write).toHaveBeenCalled();
  write.mockRestore();
});

test("other failures to change the address are errors", () => {
  const write = vi.spyOn(history, "replaceState");
  const { model } = open("");
  write.mockImplementation(() => {
    throw new TypeError("a mistake");
  });
  expect(() => change(model, "smoothing", 3)).toThrow("a mistake");
  write.mockRestore();
});

const zoomOf = ({ zoom }: Applied, axis = "step") => zoom.of("train_loss", axis, true, () => [0, 1000]).x;

test.each([
  ["?xmin=10&xmax=20", [10, 20]],
  ["?xmin=10", [10, 1000]],
  ["?xmax=20", [0, 20]],
  ["?xmin=20&xmax=10", null],
])("%s zooms along x", (search, range) => {
  const { applied, model } = open(search, { link_x: false });
  expect(zoomOf(applied)).toEqual(range);
  expect(model.get("link_x")).toBe(range !== null);
});

test("time is in seconds", () => {
  const { applied } = open("?x_axis=relative&xmin=0.5&xmax=0.75");
  expect(zoomOf(applied, "relative")).toEqual([500, 750]);
  applied.zoom.share("relative", [123, 456.7891]);
  vi.runAllTimers();
  expect(new URLSearchParams(location.search).get("xmax")).toBe("0.45679");
  expect(new URLSearchParams(location.search).get("xmin")).toBe("0.123");
});

test("the zoom of a board is written and read again", () => {
  const { applied, model } = open("?xmin=100");
  new Board(document.body, model, { live: true, signal: ends.signal, zoom: applied.zoom });
  expect(document.querySelector<HTMLElement>(".tb-unzoom")?.hidden).toBe(false);
  applied.zoom.set("train_loss", "step", true, { x: [200.123456, 300], y: null });
  vi.runOnlyPendingTimers();
  expect(location.search).toBe("?xmin=200.123&xmax=300");
  document.querySelector<HTMLElement>(".tb-unzoom")?.click();
  vi.advanceTimersByTime(500);
  expect(location.search).toBe("");
});

test("a board shows exactly the metrics of the address", () => {
  const { model } = open("?metrics=train_loss,val_loss&sidebar=hidden");
  new Board(document.body, model, { live: true, signal: ends.signal });
  const shown = [...document.querySelectorAll<HTMLElement>(".tb-chart")].map(({ dataset }) => dataset.metric);
  expect(shown).toEqual(["train_loss", "val_loss"]);
});

test("the groups of the metrics of an address are open", () => {
  const { model } = open("?metrics=@system/cpu", { collapsed: ["@system"] });
  expect(model.get("collapsed")).toEqual([]);
  change(model, "collapsed", ["@system"]);
  expect(open(location.search, { collapsed: [] }).model.get("collapsed")).toEqual(["@system"]);
});

test("a board without any metric of the address says so", () => {
  const { model } = open("?metrics=accuracy");
  new Board(document.body, model, { live: true, signal: ends.signal });
  expect(document.querySelector(".tb-empty")?.textContent).toBe("Not logged yet: accuracy.");
});
