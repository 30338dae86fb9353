// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { type Changes, RunChanges, wordsOf } from "../../src/board/run-changes.ts";
import { NoAnswer } from "../../src/frames/requests.ts";
import { goalByName } from "../../src/metrics.ts";

const CHANGES: Changes = {
  against: { id: "r0", name: "brisk-otter-1" },
  config: [
    ["lr", "0.1", "0.05"],
    ["dropout", null, "0.2"],
  ],
  packages: [["torch", "2.1", "2.2"]],
  code: ["--- brisk-otter-1", "+++ calm-fox-2", "@@ -1 +1,2 @@", "-lr = 0.1", "+lr = 0.05", "+dropout = 0.2"],
  metrics: [
    ["epoch", [9, 0, 9], [9, 0, 9]],
    ["val/acc", [0.9, 0.1, 0.91], [0.94, 0.1, 0.95]],
    ["train/loss", [0.5, 0.4, 3], [0.75, 0.3, 3]],
  ],
  unknown: [],
};

function card(answer: () => Promise<unknown>) {
  const requests = { ask: vi.fn(answer) };
  const changes = new RunChanges(requests as never, new AbortController().signal);
  return { changes, requests, line: () => changes.element.querySelector("summary")?.textContent };
}

const settled = () => new Promise(resolve => setTimeout(resolve));

test("changes in a few words: config, code, packages, and the first metric with a goal", () => {
  expect(wordsOf(CHANGES, goalByName)).toEqual([
    "lr 0.1 → 0.05",
    "dropout – → 0.2",
    "code +2 −1 lines",
    "package torch",
    "best val/acc 0.9100 → 0.9500",
  ]);
});

test("settings have six digits in the line, unless only further ones tell them apart", () => {
  const words = (earlier: string, now: string) =>
    wordsOf({ ...CHANGES, config: [["lr", earlier, now]] }, goalByName)[0];
  expect(words("0.05", "0.03333333333333333")).toBe("lr 0.05 → 0.0333333");
  expect(words("1.00000001", "1.00000002")).toBe("lr 1.00000001 → 1.00000002");
  expect(words("1.0", "1")).toBe("lr 1.0 → 1");
  expect(words("v1.10", "v1.20")).toBe("lr v1.10 → v1.20");
});

test("long settings keep their beginnings and ends in the line, unless only their middles differ", () => {
  const words = (earlier: string, now: string) =>
    wordsOf({ ...CHANGES, config: [["output_dir", earlier, now]] }, goalByName)[0];
  const path = (seed: number, end = "") =>
    `/mnt/checkpoints/llama-3-8b-instruct-grpo-lora/seed-${seed}${end}`;
  expect(words(path(0), path(1))).toBe(
    "output_dir /mnt/checkpoint…grpo-lora/seed-0 → /mnt/checkpoint…grpo-lora/seed-1",
  );
  const end = "/a-folder-that-is-the-same-for-all";
  expect(words(path(0, end), path(1, end))).toBe(`output_dir ${path(0, end)} → ${path(1, end)}`);
});

test("the card shows a line, and tables with the change of each metric", async () => {
  const { changes, line } = card(async () => ({ content: CHANGES, buffers: [] }));
  changes.update({ id: "r1", state: "finished" }, "");
  await settled();
  expect(changes.element.hidden).toBe(false);
  expect(line()).toMatch(/^Since brisk-otter-1: lr 0\.1 → 0\.05 · /);
  const rows = [...changes.element.querySelectorAll("tbody tr")].map(row =>
    [...row.children].map(cell => cell.textContent),
  );
  expect(rows).toContainEqual(["train/loss", "0.5000", "0.7500", "+0.2500", "0.4000", "0.3000", "−0.1000"]);
  const judged = [...changes.element.querySelectorAll<HTMLElement>("[data-change]")].map(
    one => one.dataset.change,
  );
  expect(judged).toEqual(["", "better", "better", "worse", "better"]);
});

test("a baseline that was deleted is said, beside what the run is compared with", async () => {
  const lost = card(async () => ({ content: { ...CHANGES, lost: true }, buffers: [] }));
  lost.changes.update({ id: "r1", state: "finished" }, "gone");
  await settled();
  expect(lost.line()).toMatch(/^The baseline was deleted\. Since brisk-otter-1: lr/);
  const alone = card(async () => ({ content: { against: null, lost: true }, buffers: [] }));
  alone.changes.update({ id: "r1", state: "finished" }, "gone");
  await settled();
  expect([alone.line(), alone.changes.element.hidden]).toEqual(["The baseline was deleted.", false]);
  const first = card(async () => ({ content: { against: null }, buffers: [] }));
  first.changes.update({ id: "r1", state: "finished" }, "");
  await settled();
  expect(first.changes.element.hidden).toBe(true);
});

test("the kernel is asked again while the run trains, once it has answered, after a second and then more seldom", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const answers: ((answer: unknown) => void)[] = [];
  const { changes, requests, line } = card(() => new Promise(resolve => answers.push(resolve)));
  const pass = async (seconds: number) => {
    vi.advanceTimersByTime(1000 * seconds);
    changes.update({ id: "r1", state: "running" }, "");
    await settled();
    return requests.ask.mock.calls.length;
  };
  const answer = async (best: number, rest: object = {}) => {
    const metrics = [["train/loss", [0.5, 0.4, 3], [0.75, best, 3]]];
    answers.pop()?.({ content: { ...rest, metrics }, buffers: [] });
    await settled();
    return line();
  };
  expect([await pass(0), await pass(30)]).toEqual([1, 1]);
  const all = { ...CHANGES, code: [], packages: [] };
  const config = "Since brisk-otter-1: lr 0.1 → 0.05 · dropout – → 0.2";
  expect(await answer(0.3, all)).toBe(`${config} · best train/loss 0.4000 → 0.3000`);
  expect([await pass(0.9), await pass(0.1)]).toEqual([1, 2]);
  expect(await answer(0.2)).toBe(`${config} · best train/loss 0.4000 → 0.2000`);
  const only = { run: "r1", against: "r0", metrics_only: true };
  expect(requests.ask.mock.calls[1]).toEqual(["changes", only]);
  for (const [count, seconds] of [2, 4, 8, 10, 10].entries()) {
    expect([await pass(seconds - 0.1), await pass(0.1)]).toEqual([2 + count, 3 + count]);
    await answer(0.2);
  }
  changes.update({ id: "r1", state: "finished" }, "");
  vi.advanceTimersByTime(60_000);
  changes.update({ id: "r1", state: "finished" }, "");
  expect(requests.ask.mock.calls.length).toBe(8);
  vi.useRealTimers();
});

test("the kernel is asked once, and again when the run has ended", async () => {
  const { changes, requests } = card(async () => ({ content: CHANGES, buffers: [] }));
  for (const state of ["running", "running", "finished", "finished"] as const)
    changes.update({ id: "r1", state }, "");
  await settled();
  expect(requests.ask.mock.calls).toEqual([
    ["changes", { run: "r1", against: "" }],
    ["changes", { run: "r1", against: "" }],
  ]);
});

test("the first run of a project and a saved page have no card", async () => {
  for (const answer of [
    async () => ({ content: { ...CHANGES, against: null }, buffers: [] }),
    async () => Promise.reject(new NoAnswer("This page has no kernel.")),
  ]) {
    const { changes } = card(answer);
    changes.update({ id: "r1", state: "running" }, "");
    await settled();
    expect(changes.element.hidden).toBe(true);
  }
});

test("a baseline is what the run is compared with, and is not compared with itself", async () => {
  const { changes, requests } = card(async () => ({ content: CHANGES, buffers: [] }));
  changes.update({ id: "r1", state: "finished" }, "r0");
  await settled();
  expect(requests.ask.mock.calls).toEqual([["changes", { run: "r1", against: "r0" }]]);
  changes.update({ id: "r1", state: "finished" }, "r1");
  expect(changes.element.hidden).toBe(true);
});
