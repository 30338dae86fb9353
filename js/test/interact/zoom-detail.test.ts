import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HostModel } from "../../src/frames/host-model.ts";
import { Requests } from "../../src/frames/requests.ts";
import { double, type Series } from "../../src/frames/series.ts";
import { type DetailNeed, detailNeed, ZoomDetail } from "../../src/interact/zoom-detail.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import type { ChartContent } from "../../src/plot/plot.ts";
import type { Range } from "../../src/plot/series-window.ts";
import { frame, run } from "../fixtures.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A kernel that answers when the test says so. */
function kernel(possible = true) {
  const asked: { id: number; from: number; to: number; series: number[][]; buckets: number }[] = [];
  let hear: (content: unknown, buffers: unknown) => void = () => {};
  const model = {
    on: (_: string, listener: typeof hear) => {
      hear = listener;
    },
    off: () => {},
    ...(possible ? { send: (question: (typeof asked)[0]) => asked.push(question) } : {}),
  };
  const [changed, ends] = [vi.fn(), new AbortController()];
  const details = new ZoomDetail(
    new Requests(model as unknown as HostModel, ends.signal),
    changed,
    ends.signal,
  );
  details.setSession("s");
  const answer = async (values: number[], at = asked.length - 1) => {
    const rows = values.map((value, step) => [step, 0, value]);
    const { header, data } = frame([{ run: 0, metric: 0, rows }]);
    hear({ answers: asked[at].id, series: header.series }, [data]);
    await vi.advanceTimersByTimeAsync(0);
  };
  const refuse = async () => {
    hear({ answers: asked.at(-1)?.id, error: "no" }, []);
    await vi.advanceTimersByTimeAsync(0);
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const values = () =>
    details.fine("loss").map(({ columns }) => [...(columns as { value: Float64Array }).value]);
  return { details, asked, answer, refuse, pass, changed, values };
}

/** A kernel that has answered for one range. */
async function answered(from: number, to: number) {
  const made = kernel();
  made.details.request("loss", need([from, to]));
  await made.pass(10);
  await made.answer([1]);
  return made;
}

const need = (steps: Range | null, more: Partial<DetailNeed> = {}): DetailNeed => ({
  series: [[0, 0]],
  steps,
  buckets: 300,
  reach: 50,
  ...more,
});

test("finer data are requested and kept", async () => {
  const { details, asked, answer, pass, changed, values } = kernel();
  details.request("loss", need([10, 20]));
  await pass(1000);
  expect(asked).toMatchObject([{ ask: "detail", series: [[0, 0]], from: 10, to: 20, buckets: 300 }]);
  expect(details.isLate("loss")).toBe(true);
  await answer([1, 2]);
  expect([values(), details.isLate("loss"), changed.mock.calls.length]).toEqual([[[1, 2]], false, 2]);
});

test("each chart asks one question at a time, then for its newest range", async () => {
  const { details, asked, answer, pass } = kernel();
  for (const from of [10, 11, 12]) {
    details.request("loss", need([from, from + 5]));
    await pass(500);
  }
  expect(asked.map(({ from }) => from)).toEqual([10]);
  await answer([1]);
  await pass(500);
  expect(asked.map(({ from }) => from)).toEqual([10, 12]);
});

test("charts take turns", async () => {
  const { details, asked, pass } = kernel();
  for (const metric of ["a", "b", "c", "d"]) details.request(metric, need([10, 20]));
  await pass(130);
  expect(asked.length).toBeLessThan(3);
  await pass(1000);
  expect(asked).toHaveLength(4);
});

test("a fine enough answer for a wider range is reused", async () => {
  const { details, asked, pass } = await answered(10, 20);
  details.request("loss", need([12, 18]));
  await pass(5000);
  expect(asked).toHaveLength(1);
  details.request("loss", need([12, 14]));
  await pass(5000);
  expect(asked).toHaveLength(2);
});

test("new data in the range are requested once a second", async () => {
  const { details, asked, pass } = await answered(10, 90);
  for (let reach = 51; reach < 60; reach++) {
    details.request("loss", need([10, 90], { reach }));
    await pass(100);
  }
  expect(asked).toHaveLength(1);
  await pass(500);
  expect(asked).toHaveLength(2);
});

test("data that are no longer needed are dropped, and late answers too", async () => {
  const { details, answer, pass, values } = kernel();
  details.request("loss", need([10, 20]));
  await pass(1000);
  details.request("loss", null);
  expect(details.isLate("loss")).toBe(false);
  await answer([1]);
  expect(values()).toEqual([]);
});

test("answers of another session are dropped", async () => {
  const { details, answer, pass, values } = kernel();
  details.request("loss", need([10, 20]));
  await pass(10);
  details.setSession("another");
  await answer([1]);
  expect(values()).toEqual([]);
});

test("a refused question is not repeated", async () => {
  const { details, asked, refuse, pass, values } = kernel();
  details.request("loss", need([10, 20]));
  await pass(10);
  await refuse();
  await pass(5000);
  expect([asked.length, values(), details.isLate("loss")]).toEqual([1, [], false]);
});

test("without a kernel nothing is requested or reported", async () => {
  const { details, asked, pass } = kernel(false);
  details.request("loss", need([10, 20]));
  await pass(5000);
  expect([asked.length, details.isLate("loss")]).toEqual([0, false]);
});

/** 1024 steps in 256 buckets of 4. */
function buckets(): Series {
  const step = Float64Array.from({ length: 1024 }, (_, i) => i);
  return double(
    double({
      kind: "points",
      run: 0,
      metric: 7,
      width: 1,
      rows: 1024,
      columns: { step, time: step, value: step },
    }),
  );
}

function content(x: Range | null, series: Series[] = [buckets()]): ChartContent {
  const styles = styleRuns([run(0)], "light");
  const settings = {
    styles,
    hidden: new Set<string>(),
    smoothing: { amount: 0, kind: "mean" } as const,
    clipOutliers: "never" as const,
    options: {},
  };
  const axes = { x: "step", log: { x: false, y: false }, xSeries: [] };
  return { series, fine: [], settings, axes, zoom: { x, y: null } };
}

test("a range with fewer buckets than pixels needs finer data", () => {
  expect(detailNeed(content([100.5, 199.5]), 300)).toEqual({
    series: [[0, 7]],
    steps: [100, 200],
    buckets: 300,
    reach: 200,
  });
});

test("a whole chart with fewer buckets than pixels needs finer data", () => {
  expect(detailNeed(content(null), 900)).toMatchObject({ steps: null, reach: 1023 });
});

test("points and fine enough buckets need no finer data", () => {
  expect(detailNeed(content(null), 300)).toBeNull();
  const { columns } = buckets() as Extract<Series, { kind: "buckets" }>;
  const points: Series = {
    kind: "points",
    run: 0,
    metric: 7,
    width: 1,
    rows: 256,
    columns: { step: columns.first_step, time: columns.first_step, value: columns.first },
  };
  expect(detailNeed(content([100, 110], [points]), 900)).toBeNull();
});

test("over time, the visible steps are requested", () => {
  const over = {
    ...content([100_000, 110_000]),
    axes: { x: "time", log: { x: false, y: false }, xSeries: [] },
  };
  expect(detailNeed(over, 300)?.steps).toEqual([96, 115]);
});
