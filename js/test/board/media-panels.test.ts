// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import widget from "../../src/index.ts";
import type { MediaScene } from "../../src/media/media-types.ts";
import { FakeModel, frame, run } from "../fixtures.ts";
import { MediaModel, mediaTrait, medium } from "../media-fixtures.ts";

let near: (visible?: boolean) => void;
let observations: Element[];

beforeEach(() => {
  const observed = new Set<{ hear: IntersectionObserverCallback; targets: Set<Element> }>();
  class Observer {
    #own: { hear: IntersectionObserverCallback; targets: Set<Element> };
    constructor(hear: IntersectionObserverCallback) {
      this.#own = { hear, targets: new Set() };
      observed.add(this.#own);
    }
    observe(target: Element) {
      observations.push(target);
      this.#own.targets.add(target);
    }
    unobserve(target: Element) {
      this.#own.targets.delete(target);
    }
    disconnect() {
      this.#own.targets.clear();
    }
  }
  vi.stubGlobal("IntersectionObserver", Observer);
  observations = [];
  near = (isIntersecting = true) => {
    for (const { hear, targets } of observed)
      hear(
        [...targets].map(target => ({ target, isIntersecting }) as never),
        null as never,
      );
  };
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function show(model: FakeModel) {
  const [el, ends] = [document.createElement("div"), new AbortController()];
  document.body.append(el);
  widget.render({ model, el, signal: ends.signal });
  const panel = (metric: string) => el.querySelector(`.tb-chart[data-metric="${metric}"]`) as HTMLElement;
  return { el, ends, panel };
}

const keyframe = frame([{ run: 0, metric: 0, rows: [[0, 0, 1]] }], {
  runs: [run(0), run(1)],
  metrics: ["val/loss"],
});
const noCharts = frame([], { runs: [run(0), run(1)], metrics: [] });
const text = (name: string, more: object = {}) =>
  medium({ metric: "val/notes", kind: "text", file: name, mime: "text/plain", ...more });
const bytes = async (name: string) => new TextEncoder().encode(`text of ${name}`).buffer as ArrayBuffer;
const PATIENCE = 20_000; // ms, for a machine that does much else
vi.setConfig({ testTimeout: 2 * PATIENCE });
const settled = (what: () => boolean) =>
  vi.waitFor(() => expect(what()).toBe(true), { timeout: PATIENCE, interval: 5 });
const asked = (model: MediaModel, name: string) => model.asked.filter(({ ask }) => ask === name);

test("a metric with media has a panel in the group of its name, after the charts", () => {
  const { el } = show(new MediaModel([text("a.txt"), medium({ metric: "images" })], { keyframe }));
  const groups = [...el.querySelectorAll<HTMLElement>(".tb-group")].map(group => [
    group.dataset.group,
    [...group.querySelectorAll<HTMLElement>(".tb-chart")].map(({ dataset }) => dataset.metric),
  ]);
  expect(groups).toEqual([
    ["", ["images"]],
    ["val", ["val/loss", "val/notes"]],
  ]);
});

test("media of a name that has a chart get a panel of their own", () => {
  const { panel } = show(new MediaModel([medium({ metric: "val/loss", kind: "histogram" })], { keyframe }));
  expect([panel("val/loss").className, panel("val/loss (histogram)").className]).toEqual([
    "tb-chart",
    "tb-chart tb-media",
  ]);
});

test("nothing is asked for before a panel comes near the window", async () => {
  const model = new MediaModel([text("a.txt", { caption: "mine" })], { keyframe }, bytes);
  const { panel } = show(model);
  expect(asked(model, "media")).toEqual([]);
  near();
  await settled(() => panel("val/notes").textContent?.includes("text of a.txt") === true);
  expect(panel("val/notes").textContent).toContain("mine");
  expect(panel("val/notes").dataset.drawn).toBe("1");
});

test("the panel shows the newest step of each visible run, and follows new ones", async () => {
  const model = new MediaModel([text("a.txt"), text("b.txt", { run: "id1", step: 3 })], { keyframe }, bytes);
  const { panel } = show(model);
  near();
  await settled(() => panel("val/notes").querySelectorAll("pre").length === 2);
  model.log(text("c.txt", { step: 7 }));
  await settled(() => panel("val/notes").textContent?.includes("text of c.txt") === true);
  expect(panel("val/notes").textContent).not.toContain("text of a.txt");
  model.set("hidden_runs", ["id1"]);
  await settled(() => panel("val/notes").querySelectorAll("pre").length === 1);
  model.set("hidden_runs", ["id0", "id1"]);
  await settled(() => panel("val/notes").textContent?.includes("No visible run has logged this.") === true);
});

test("the step that is chosen in one panel is that of all of them", async () => {
  const steps = [0, 5, 10];
  const items = ["val/notes", "val/more"].flatMap(metric =>
    steps.map(step => text(`${metric}-${step}`, { metric, step })),
  );
  const { panel } = show(new MediaModel(items, { keyframe }, bytes));
  near();
  const shows = (metric: string, step: number) =>
    panel(metric).querySelector("pre")?.textContent === `text of ${metric}-${step}`;
  await settled(() => shows("val/notes", 10) && shows("val/more", 10));
  const range = panel("val/notes").querySelector("input[type=range]") as HTMLInputElement;
  range.value = "1";
  range.dispatchEvent(new Event("change"));
  await settled(() => shows("val/notes", 5) && shows("val/more", 5));
  panel("val/more").querySelector<HTMLElement>('[aria-label="Newest step"]')?.click();
  await settled(() => shows("val/notes", 10) && shows("val/more", 10));
});

test("the chosen step is that of the next page; the newest one, once chosen, is followed again", async () => {
  const items = [0, 5, 10].map(step => text(`at ${step}`, { step }));
  const model = new MediaModel(items, { keyframe }, bytes);
  const first = show(model);
  near();
  const shows = ({ panel }: typeof first, step: number) =>
    panel("val/notes").querySelector("pre")?.textContent === `text of at ${step}`;
  await settled(() => shows(first, 10));
  const range = first.panel("val/notes").querySelector("input[type=range]") as HTMLInputElement;
  range.value = "1";
  range.dispatchEvent(new Event("input"));
  await settled(() => shows(first, 5));
  expect(model.get("media_step")).toBe(undefined);
  range.dispatchEvent(new Event("change"));
  expect(model.get("media_step")).toBe(5);
  const second = show(model);
  near();
  await settled(() => shows(second, 5));
  second.panel("val/notes").querySelector<HTMLElement>('[aria-label="Newest step"]')?.click();
  await settled(() => shows(first, 10) && shows(second, 10));
  expect(model.get("media_step")).toBe(-1);
  model.log(text("at 20", { step: 20 }));
  await settled(() => shows(first, 20) && shows(second, 20));
});

test("a step chosen by the keyboard is kept when the slider rests, though it has the focus", async () => {
  const items = [0, 5, 10].map(step => text(`at ${step}`, { step }));
  const model = new MediaModel(items, { keyframe }, bytes);
  const { panel } = show(model);
  near();
  await settled(() => panel("val/notes").querySelector("pre")?.textContent === "text of at 10");
  const steps = panel("val/notes").querySelector(".tb-media-steps") as HTMLElement;
  const range = steps.querySelector("input[type=range]") as HTMLInputElement;
  vi.spyOn(steps, "querySelector").mockImplementation(() => range); // :focus-visible
  vi.useFakeTimers();
  for (const place of ["1", "0"]) {
    range.value = place;
    range.dispatchEvent(new Event("input"));
    range.dispatchEvent(new Event("change"));
    vi.advanceTimersByTime(300);
    expect(model.get("media_step")).toBe(undefined);
  }
  vi.advanceTimersByTime(200);
  vi.useRealTimers();
  expect(model.get("media_step")).toBe(0);
});

test("a filter hides panels like charts", async () => {
  const model = new MediaModel([text("a.txt")], { keyframe });
  const { el, panel } = show(model);
  model.set("metric_filter", "loss");
  expect(el.contains(panel("val/notes"))).toBe(false);
  model.set("metric_filter", "notes");
  expect(panel("val/notes")).not.toBeNull();
});

test("without a kernel a panel says where its media are", () => {
  const { panel } = show(new FakeModel({ keyframe, media: mediaTrait([text("a.txt")]) }));
  near();
  expect(panel("val/notes").textContent).toContain("Shown where its kernel runs");
});

test("a kernel that refuses is quoted in the panel", async () => {
  const model = new MediaModel([text("a.txt")], { keyframe });
  model.answer = () => Promise.reject(new Error("the files were deleted"));
  const { panel } = show(model);
  near();
  await settled(() => panel("val/notes").textContent?.includes("the files were deleted") === true);
});

test("after a refusal the next refresh asks again", async () => {
  const model = new MediaModel([text("a.txt")], { keyframe }, bytes);
  const { answer } = model;
  model.answer = () => Promise.reject(new Error("busy"));
  const { panel } = show(model);
  near();
  await settled(() => panel("val/notes").textContent?.includes("busy") === true);
  model.answer = answer;
  model.set("keyframe", frame([], { seq: 2, runs: [run(0), run(1)], metrics: ["val/loss"] }));
  await settled(() => panel("val/notes").textContent?.includes("text of a.txt") === true);
});

/** A board whose `media.js` notes the scenes of its panels. */
async function withScenes(items: Parameters<typeof medium>[0][], traits: object = { keyframe }) {
  vi.resetModules();
  const { default: fresh } = await import("../../src/index.ts");
  const scenes: MediaScene[] = [];
  const model = new MediaModel(items.map(medium), { ...traits });
  const load = vi.fn(
    async (): Promise<unknown> => ({
      openPanel: () => ({ update: (scene: MediaScene) => scenes.push(scene), follow: () => {} }),
    }),
  );
  model.importFile = load;
  const el = document.createElement("div");
  document.body.append(el);
  fresh.render({ model, el, signal: new AbortController().signal });
  const again = async (seq: number, more: object = {}) => {
    const header = { seq, runs: [run(0), run(1, { done: seq })], metrics: ["val/loss"], ...more };
    model.set("keyframe", frame([], header));
    await settled(() => el.querySelector<HTMLElement>(".tb-board")?.dataset.seq === String(seq));
  };
  return { scenes, model, load, el, again };
}

test("what cannot be loaded is asked for again when its panel next comes near, not at once", async () => {
  const { load, el, scenes } = await withScenes([{}]);
  load.mockRejectedValueOnce(new Error("no connection"));
  near();
  await settled(() => el.textContent?.includes("no connection") === true);
  near();
  expect([load.mock.calls.length, observations.length]).toEqual([1, new Set(observations).size]);
  near(false);
  near();
  await settled(() => scenes.length === 1);
  expect(load.mock.calls.length).toBe(2);
});

test("a panel out of sight is not drawn until it comes near again", async () => {
  const { scenes, again } = await withScenes([{}]);
  near();
  await settled(() => scenes.length > 0);
  near(false);
  const before = scenes.length;
  await again(2);
  expect(scenes.length).toBe(before);
  near();
  expect(scenes.length).toBe(before + 1);
});

test("a scene tells of its runs only what media show, which stays the same while they log", async () => {
  const { scenes, again } = await withScenes([{}]);
  near();
  await settled(() => scenes.length > 0);
  await again(2);
  const runs = scenes.map(scene => JSON.stringify(scene.runs));
  expect(runs.length).toBeGreaterThan(1);
  expect(new Set(runs).size).toBe(1);
  expect(Object.keys(scenes[0].runs[0])).toEqual(["id", "label", "color"]);
});

test("a number that is logged by the name of an image gets a chart beside it", async () => {
  const { el, again } = await withScenes([{ metric: "x" }]);
  const names = () => [...el.querySelectorAll<HTMLElement>(".tb-chart")].map(({ dataset }) => dataset.metric);
  expect(names().sort()).toEqual(["val/loss", "x"]);
  await again(2, { metrics: ["x"] });
  expect(names().sort()).toEqual(["x", "x (image)"]);
});

test("runs over each other say which of them show an older step", async () => {
  const histogram = (run: string, step: number) =>
    medium({ kind: "histogram", run, step, file: null, about: { edges: [0, 1], counts: [step] } });
  const curve = JSON.stringify({
    data: { values: [{ x: 1 }] },
    mark: "line",
    encoding: { x: { field: "x" } },
  });
  const chart = (run: string, step: number, file: string) =>
    medium({ metric: "curve", kind: "chart", run, step, file, mime: "application/json" });
  const items = [
    ...[histogram("id0", 1000), histogram("id0", 2000), histogram("id1", 1000), histogram("id1", 1500)],
    ...[chart("id0", 3000, "a.json"), chart("id1", 10, "b.json")],
  ];
  const content = async (name: string) => new TextEncoder().encode(name && curve).buffer as ArrayBuffer;
  const { panel } = show(new MediaModel(items, { keyframe: noCharts }, content));
  near();
  const count = (name = "images") => panel(name).querySelector(".tb-media-count") as HTMLElement;
  await settled(() => count().textContent === "run-1: step 1,500");
  expect(count().title).toBe("run-1: step 1,500");
  await settled(() => count("curve").textContent === "run-1: step 10");
  const range = panel("images").querySelector("input[type=range]") as HTMLInputElement;
  range.value = "0";
  range.dispatchEvent(new Event("change"));
  await settled(() => count().textContent === "2 items");
  expect(count().title).toBe("");
});

test("the runs of a heat map are those with media", async () => {
  const histogram = (run: string, step: number) =>
    medium({ kind: "histogram", run, step, file: null, about: { edges: [0, 1], counts: [step] } });
  const items = [0, 1, 2].map(step => histogram("id0", step));
  const model = new MediaModel(items, { keyframe: noCharts });
  const { panel } = show(model);
  near();
  await settled(() => panel("images").dataset.drawn === "1");
  panel("images").querySelector<HTMLElement>('[aria-label="All steps"]')?.click();
  await settled(() => panel("images").dataset.drawn === "3");
  const select = panel("images").querySelector('[aria-label="Run"]') as HTMLSelectElement;
  expect([select.hidden, [...select.options].map(({ value }) => value)]).toEqual([true, ["id0"]]);
});

test("while a run logs, a gallery of all steps keeps what it shows until the new items are there", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  const items = [0, 1, 2].map(step => medium({ step, file: `${step}.png` }));
  const model = new MediaModel(items, { keyframe: noCharts }, bytes);
  const { panel } = show(model);
  near();
  const tiles = (which = "") => panel("images").querySelectorAll(`.tb-media-tile${which}`).length;
  await settled(() => tiles() === 1);
  panel("images").querySelector<HTMLElement>('[aria-label="All steps"]')?.click();
  await settled(() => tiles() === 3 && tiles(".tb-media-waiting") === 0);
  const answer = model.answer.bind(model);
  let release = () => {};
  model.answer = async question => {
    if (question.ask === "media_window") await new Promise<void>(resolve => (release = resolve));
    return answer(question);
  };
  model.log(medium({ step: 3, file: "3.png" }));
  await settled(() => tiles() === 4);
  expect(tiles(".tb-media-waiting")).toBe(1);
  release();
  await settled(() => tiles(".tb-media-waiting") === 0);
});

test("while a run logs, a gallery of all steps that was scrolled stays where it is", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  const items = Array.from({ length: 60 }, (_, step) => medium({ step, file: `${step}.png` }));
  const model = new MediaModel(items, { keyframe: noCharts }, bytes);
  const { panel } = show(model);
  near();
  const gallery = () => panel("images").querySelector(".tb-media-gallery") as HTMLElement;
  await settled(() => gallery()?.dataset.rows === "1");
  panel("images").querySelector<HTMLElement>('[aria-label="All steps"]')?.click();
  await settled(() => gallery().dataset.rows === "15");
  const scroll = gallery().querySelector(".tb-media-scroll") as HTMLElement;
  const height = Number.parseFloat((scroll.firstElementChild as HTMLElement).style.height) / 15;
  scroll.scrollTop = 100;
  model.log(...[60, 61, 62, 63].map(step => medium({ step, file: `${step}.png` })));
  await settled(() => gallery().dataset.rows === "16");
  expect(scroll.scrollTop).toBe(100 + height);
});

test("a gallery says that it leaves items out", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  const items = [0, 1].map(step => medium({ step, file: `${step}.png` }));
  const model = new MediaModel(items, { keyframe: noCharts }, bytes);
  const answer = model.answer.bind(model);
  model.answer = async question => {
    const { content, buffers } = await answer(question);
    return { content: question.ask === "media_window" ? { ...content, more: true } : content, buffers };
  };
  const { panel } = show(model);
  near();
  const all = () => panel("images").querySelector<HTMLElement>('[aria-label="All steps"]');
  await settled(() => all()?.hidden === false);
  all()?.click();
  await settled(
    () => panel("images").querySelector(".tb-media-count")?.textContent === "2 steps · some left out",
  );
});

test("images are in tiles that the keyboard walks through, with their runs side by side", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  const items = ["id0", "id1"].flatMap(id =>
    [0, 1].map(item => medium({ run: id, item, file: `${id}-${item}.png`, caption: `${id} ${item}` })),
  );
  const { panel } = show(new MediaModel(items, { keyframe: noCharts }, bytes));
  near();
  const tiles = () => [...panel("images").querySelectorAll<HTMLElement>(".tb-media-tile")];
  await settled(() => tiles().length === 4);
  expect(tiles().map(tile => tile.getAttribute("aria-label"))).toEqual([
    "id0 0, run-0, step 0",
    "id1 0, run-1, step 0",
    "id0 1, run-0, step 0",
    "id1 1, run-1, step 0",
  ]);
  expect(
    [...panel("images").querySelectorAll(".tb-media-columns .tb-media-run")].map(el => el.textContent),
  ).toEqual(["run-0", "run-1"]);
  expect(tiles().filter(tile => tile.tabIndex === 0).length).toBe(1);
  tiles()[0].focus();
  const key = (name: string) =>
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  key("ArrowDown");
  expect(document.activeElement).toBe(tiles()[2]);
  key("End");
  expect(document.activeElement).toBe(tiles()[3]);
});

test("a run says the step of its media where that is not the step of the slider", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  const images = [medium({ step: 900 }), medium({ run: "id1", step: 300, file: "b.png" })];
  const notes = [text("a.txt", { step: 900 }), text("b.txt", { run: "id1", step: 300 })];
  const { panel } = show(new MediaModel([...images, ...notes], { keyframe: noCharts }, bytes));
  near();
  const labels = (metric: string) =>
    [...panel(metric).querySelectorAll(".tb-media-run")].map(({ textContent }) => textContent);
  await settled(() => labels("images").length === 2 && labels("val/notes").length === 2);
  expect(labels("images")).toEqual(["run-0", "run-1step 300"]);
  expect(labels("val/notes")).toEqual(["run-0", "run-1step 300"]);
});

test("what is shown large stays while its run logs, and goes to other steps", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  const at = (step: number) =>
    [0, 1].map(item => medium({ step, item, file: `${step}-${item}.png`, caption: `${step} ${item}` }));
  const model = new MediaModel([...at(0), ...at(1)], { keyframe: noCharts }, bytes);
  const { panel } = show(model);
  near();
  const tiles = () => [...panel("images").querySelectorAll<HTMLElement>(".tb-media-tile")];
  await settled(() => tiles().length === 2);
  tiles()[0].click();
  const large = panel("images").querySelector("dialog") as HTMLDialogElement;
  const name = () => large.getAttribute("aria-label");
  const key = (pressed: string) =>
    large.dispatchEvent(new KeyboardEvent("keydown", { key: pressed, bubbles: true }));
  model.log(...at(2));
  await settled(() => panel("images").querySelector<HTMLInputElement>(".tb-media-plot input")?.max === "2");
  await new Promise(resolve => setTimeout(resolve));
  key("ArrowRight");
  expect(name()).toBe("1 1, run-0, step 1");
  expect(large.querySelector<HTMLButtonElement>('[aria-label="Next"]')?.disabled).toBe(true);
  key("ArrowDown");
  await settled(() => name() === "0 1, run-0, step 0");
  key("ArrowLeft");
  await settled(() => name() === "0 0, run-0, step 0");
  large.close();
  await settled(() => tiles()[0].getAttribute("aria-label") === "0 0, step 0");
});

test("of 10,000 images only those in sight are in the page", async () => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(400);
  const items = Array.from({ length: 10_000 }, (_, step) => medium({ step, file: `${step}.png` }));
  const model = new MediaModel(items, { keyframe: noCharts }, bytes);
  const { panel } = show(model);
  near();
  await settled(() => panel("images").querySelectorAll(".tb-media-tile").length === 1);
  panel("images").querySelector<HTMLElement>('[aria-label="All steps"]')?.click();
  await settled(() => panel("images").querySelectorAll(".tb-media-tile:not(.tb-media-waiting)").length > 8);
  expect(panel("images").querySelectorAll(".tb-media-tile").length).toBeLessThan(100);
  expect(panel("images").querySelector(".tb-media-tile")?.getAttribute("aria-label")).toContain("step 9999");
  expect(asked(model, "media_window").every(({ steps }) => (steps as number[]).length <= 64)).toBe(true);
});
