import { beforeEach, expect, test, vi } from "vitest";
import { DrawQueue } from "../../src/charts/draw-queue.ts";

let frames: (() => void)[] = [];
let clock = 0;

beforeEach(() => {
  [frames, clock] = [[], 0];
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => frames.push(callback));
  vi.stubGlobal("cancelAnimationFrame", (id: number) => delete frames[id - 1]);
  vi.stubGlobal("performance", { now: () => clock });
});

async function nextFrame() {
  const due = frames.splice(0);
  for (const callback of due) callback?.();
  await new Promise(resolve => setTimeout(resolve, 0));
}

function charts(count: number, ms: number) {
  return Array.from({ length: count }, () => ({
    draw: vi.fn(async () => {
      clock += ms;
    }),
  }));
}

const drawn = (list: ReturnType<typeof charts>) => list.map(({ draw }) => draw.mock.calls.length);

test("a chart requested twice before a frame is drawn once", async () => {
  const [queue, [chart]] = [new DrawQueue(new AbortController().signal), charts(1, 1)];
  queue.add(chart);
  queue.add(chart);
  await nextFrame();
  await nextFrame();
  expect(drawn([chart])).toEqual([1]);
});

test("slow charts are drawn in a frame each", async () => {
  const [queue, slow] = [new DrawQueue(new AbortController().signal), charts(3, 10)];
  for (const chart of slow) queue.add(chart);
  await nextFrame();
  expect(drawn(slow)).toEqual([1, 0, 0]);
  await nextFrame();
  await nextFrame();
  expect(drawn(slow)).toEqual([1, 1, 1]);
});

test("fast charts share a frame", async () => {
  const [queue, quick] = [new DrawQueue(new AbortController().signal), charts(3, 3)];
  for (const chart of quick) queue.add(chart);
  await nextFrame();
  expect(drawn(quick)).toEqual([1, 1, 1]);
});

test("a chart requested while it is drawn is drawn again", async () => {
  const queue = new DrawQueue(new AbortController().signal);
  const [chart] = charts(1, 1);
  chart.draw.mockImplementationOnce(async () => queue.add(chart));
  queue.add(chart);
  await nextFrame();
  await nextFrame();
  expect(drawn([chart])).toEqual([2]);
});

test("removed charts and closed boards are not drawn", async () => {
  const [ends, [one, two]] = [new AbortController(), charts(2, 1)];
  const queue = new DrawQueue(ends.signal);
  queue.add(one);
  queue.add(two);
  queue.delete(one);
  ends.abort();
  await nextFrame();
  expect(drawn([one, two])).toEqual([0, 0]);
});
