// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StopButton } from "../../src/board/stop-button.ts";
import { Requests } from "../../src/frames/requests.ts";
import { FakeModel, run } from "../fixtures.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A stop button whose kernel answers when the test says so. */
function stopButton() {
  const asked: Record<string, unknown>[] = [];
  const model = Object.assign(new FakeModel(), {
    send: (content: unknown) => void asked.push(content as Record<string, unknown>),
  });
  const { signal } = new AbortController();
  const stop = new StopButton(new Requests(model, signal), signal);
  const button = stop.element.querySelector("button") as HTMLButtonElement;
  const said = () => stop.element.querySelector("[role=status]")?.textContent;
  return {
    stop,
    button,
    asked,
    said,
    answer: async (error?: string) => {
      const content = { answers: asked.at(-1)?.id, ...(error && { error }) };
      for (const hear of model.listeners.get("msg:custom") ?? [])
        (hear as (content: unknown) => void)(content);
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

test("the button names its run and is hidden without one", () => {
  const { stop, button } = stopButton();
  stop.update(run(0, { name: "lr 0.1" }));
  expect([stop.element.hidden, button.title, button.getAttribute("aria-label")]).toEqual([
    false,
    "Stop run lr 0.1",
    "Stop run lr 0.1",
  ]);
  stop.update(null);
  expect(stop.element.hidden).toBe(true);
});

test("a click asks the kernel once and shows the progress", async () => {
  const { stop, button, asked, said, answer } = stopButton();
  stop.update(run(0));
  expect(said()).toBe("");
  button.click();
  expect(asked).toMatchObject([{ ask: "stop", run: "id0" }]);
  expect(said()).toBe("Stopping…");
  await answer();
  await vi.advanceTimersByTimeAsync(5000);
  expect(said()).toBe("Stopping…");
});

test("a busy kernel stops the run when the cell ends", async () => {
  const { stop, button, said, answer } = stopButton();
  stop.update(run(0));
  button.click();
  await vi.advanceTimersByTimeAsync(700);
  expect(said()).toBe("Waiting for the cell to end");
  await answer();
  expect(said()).toBe("Stopping…");
});

test("the reason of a refusal is shown", async () => {
  const { stop, button, said, answer } = stopButton();
  stop.update(run(0));
  button.click();
  await answer("run 'x' is being written by another process; stop it there");
  expect(said()).toContain("another process");
});

test("the message of one run is not shown for another", () => {
  const { stop, button, said } = stopButton();
  stop.update(run(0));
  button.click();
  stop.update(run(1));
  expect(said()).toBe("");
  stop.update(run(0));
  expect(said()).toBe("Stopping…");
});
