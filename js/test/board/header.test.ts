// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { Header, type KernelState } from "../../src/board/header.ts";
import type { RunHeader } from "../../src/frames/protocol.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import type { RunStyle } from "../../src/plot/plot-rows.ts";
import { run } from "../fixtures.ts";

const HEARD: KernelState = { idleSince: null, gone: "", synced: null };

function topLine(more: Partial<RunHeader>, { now = 0, alone = false, kernel = HEARD } = {}) {
  const line = new Header(document.createElement("span"));
  const clock = { now };
  line.update(
    "digits",
    styleRuns([run(0, more)], "light").get(0) as RunStyle,
    alone,
    () => clock.now,
    kernel,
  );
  const parts = () => line.element.querySelectorAll(":scope > :not(.tb-facts), .tb-facts > *");
  const text = () => [...parts()].map(part => part.textContent).filter(Boolean);
  return { line, clock, text };
}

test("the header shows project, run, state, time and steps", () => {
  expect(topLine({ started: 10, done: 1234 }, { now: 75 }).text()).toEqual([
    "digits",
    "run-0",
    "running",
    "1:05",
    "1,234 steps",
  ]);
});

test("the time of a running run advances between frames", () => {
  const { line, clock, text } = topLine({ started: 0 }, { now: 5 });
  clock.now = 6;
  line.tick();
  expect(text()).toContain("0:06");
});

test("the time of an ended run does not change", () => {
  expect(topLine({ state: "finished", started: 0, ended: 60 }, { now: 999 }).text()).toContain("1:00");
});

test("a lost run without an end has no time", () => {
  expect(topLine({ state: "lost", started: 0 }, { now: 999 }).text()).toEqual([
    "digits",
    "run-0",
    "lost",
    "0 steps",
  ]);
});

test("a known total gives progress, rate and remaining time", () => {
  const { line, text } = topLine({ done: 25, total: 100, rate: 5 });
  expect(text()).toEqual(expect.arrayContaining(["25 / 100 steps", "5.00/s · 0:15 left"]));
  const bar = line.element.querySelector("[role=progressbar]") as HTMLElement;
  expect([bar.hidden, bar.getAttribute("aria-valuenow")]).toEqual([false, "25"]);
});

test("a rate of 0 gives no remaining time", () => {
  expect(topLine({ done: 25, total: 100, rate: 0 }).text().join()).not.toContain("left");
});

test("the state of a failed run shows its error", () => {
  const { line } = topLine({ state: "failed", error: "ValueError: no" });
  expect(line.element.querySelector<HTMLElement>(".tb-state")?.title).toBe("ValueError: no");
});

test("a single run is marked as its own legend entry", () => {
  expect(
    topLine({}, { alone: true }).line.element.querySelector('.tb-run[data-run="id0"] .tb-run-name')
      ?.textContent,
  ).toBe("run-0");
  expect(topLine({}).line.element.querySelector(".tb-run")).toBeNull();
});

test("the clock of a run that no cell runs stands, and its state says since when", () => {
  const kernel = { idleSince: 30, gone: "", synced: null };
  const { line, text } = topLine({ started: 10, done: 5, total: 10, rate: 1 }, { now: 75, kernel });
  const time = new Date(30_000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  expect(text()).toEqual(["digits", "run-0", `idle since ${time}`, "0:20", "5 / 10 steps"]);
  line.tick();
  expect(text()).toContain("0:20");
});

test("a kernel that is gone stands in place of running, and of no other state", () => {
  const kernel = { idleSince: null, gone: "kernel gone", synced: null };
  expect(topLine({}, { kernel }).text()).toContain("kernel gone");
  expect(topLine({ state: "finished" }, { kernel }).text()).toContain("finished");
});

test("how far the upload is stands at the end, by the clock of the kernel", () => {
  const said = (synced: KernelState["synced"], now: number) =>
    topLine({}, { now, kernel: { ...HEARD, synced } })
      .text()
      .at(-1);
  expect(said({ at: 97, left: 0 }, 100)).toBe("synced 3 s ago");
  expect(said({ at: 97, left: 0 }, 300)).toBe("synced 3 min ago");
  expect(said({ at: 97, left: 20 }, 100)).toBe("synced 3 s ago");
  expect(said({ at: 80, left: 1200 }, 100)).toBe("1,200 points to upload");
  expect(said({ at: null, left: 1200 }, 100)).toBe("1,200 points to upload");
  expect(said(null, 100)).toBe("0 steps");
});

test("the time since the last upload goes on between frames", () => {
  const { line, clock, text } = topLine({}, { now: 100, kernel: { ...HEARD, synced: { at: 97, left: 0 } } });
  clock.now = 101;
  line.tick();
  expect(text().at(-1)).toBe("synced 4 s ago");
});
