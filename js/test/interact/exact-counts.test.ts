import { expect, test, vi } from "vitest";
import type { Chart } from "../../src/charts/chart.ts";
import { NoAnswer, type Requests } from "../../src/frames/requests.ts";
import { ExactCounts } from "../../src/interact/exact-counts.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { run } from "../fixtures.ts";

function watched(ask: Requests["ask"], possible = true) {
  const styles = [...styleRuns([run(0), run(1)], "light").values()];
  const setExact = vi.fn();
  const chart = {
    metric: "both",
    sources: [
      { metric: "a", styles },
      { metric: "b", styles },
    ],
    setExact,
  };
  const requests = { ask: vi.fn(ask), possible } as unknown as Requests;
  const counts = new ExactCounts(() => requests, new AbortController().signal);
  counts.watch(chart as unknown as Chart);
  const { onInexact } = chart as unknown as Chart;
  return { setExact, requests, ask: () => onInexact?.({ low: 0, high: 1, key: "k" }) };
}

test("the counts of all metrics of a chart are added up", async () => {
  vi.useFakeTimers();
  const answers: Record<string, number> = { a: 3, b: 4 };
  const { setExact, requests, ask } = watched(async (_, fields) => ({
    content: { count: answers[fields?.metric as string] },
    buffers: [],
  }));
  ask();
  ask(); // of two questions at once the later one is asked
  await vi.runAllTimersAsync();
  expect(setExact.mock.calls).toEqual([[{ key: "k", count: 7 }]]);
  expect(requests.ask).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});

test("without an answer the count stays as it is", async () => {
  vi.useFakeTimers();
  const late = watched(async () => {
    throw new NoAnswer("late");
  });
  late.ask();
  const none = watched(async () => ({ content: {}, buffers: [] }), false);
  none.ask();
  await vi.runAllTimersAsync();
  expect(late.setExact).not.toHaveBeenCalled();
  expect(none.requests.ask).not.toHaveBeenCalled();
  vi.useRealTimers();
});
