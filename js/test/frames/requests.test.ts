import { expect, test, vi } from "vitest";
import { NoAnswer, Requests } from "../../src/frames/requests.ts";
import { FakeModel } from "../fixtures.ts";

type Sent = Record<string, unknown>;

/** A model whose kernel answers when the test says so. */
function talking() {
  const sent: Sent[] = [];
  const heard = new Set<(...of: unknown[]) => void>();
  const model = Object.assign(new FakeModel(), {
    send: (content: unknown) => void sent.push(content as Sent),
    on: (_: string, listener: (...of: unknown[]) => void) => void heard.add(listener),
    off: (_: string, listener: (...of: unknown[]) => void) => void heard.delete(listener),
  });
  const ends = new AbortController();
  const answer = (content: Sent, buffers?: DataView[]) => {
    for (const listener of heard) listener(content, buffers);
  };
  return { sent, heard, ends, answer, requests: new Requests(model, ends.signal) };
}

test("an answer resolves its own question", async () => {
  const { requests, sent, answer } = talking();
  const [one, other] = [requests.ask("detail", { metric: "loss" }), requests.ask("detail")];
  expect(sent[0]).toMatchObject({ ask: "detail", metric: "loss" });
  answer({ answers: sent[1].id, n: 2 });
  answer({ answers: sent[0].id, n: 1 }, [new DataView(new ArrayBuffer(8))]);
  expect(await other).toEqual({ content: { n: 2 }, buffers: [] });
  expect((await one).buffers).toHaveLength(1);
});

test("a refusal rejects with its reason", async () => {
  const { requests, sent, answer } = talking();
  const asked = requests.ask("detail");
  answer({ answers: sent[0].id, error: "there is no such metric" });
  await expect(asked).rejects.toThrow(new NoAnswer("there is no such metric"));
});

test("messages for others are ignored", () => {
  const { answer } = talking();
  expect(() => {
    answer({ answers: 1 });
    answer({ something: "else" });
  }).not.toThrow();
});

test("without a kernel a question rejects", async () => {
  const requests = new Requests(new FakeModel(), new AbortController().signal);
  expect(requests.possible).toBe(false);
  await expect(requests.ask("detail")).rejects.toThrow(NoAnswer);
});

test("a question of a widget whose channel is closed says that the kernel has stopped", async () => {
  const model = Object.assign(new FakeModel(), {
    send() {
      throw new Error("Cannot send");
    },
  });
  const requests = new Requests(model, new AbortController().signal);
  await expect(requests.ask("detail")).rejects.toThrow(new NoAnswer("The kernel of this board has stopped."));
});

test("closing a view rejects its questions and stops listening", async () => {
  const { requests, heard, ends } = talking();
  const failed = vi.fn();
  const asked = requests.ask("detail").catch(failed);
  ends.abort();
  await asked;
  expect(failed).toHaveBeenCalledOnce();
  expect(heard.size).toBe(0);
});

test("a question without an answer is reported late, once", async () => {
  vi.useFakeTimers();
  const { requests, sent, answer } = talking();
  const [slow, quick] = [vi.fn(), vi.fn()];
  const asked = [requests.ask("stop", {}, slow, 1000), requests.ask("stop", {}, quick, 1000)];
  answer({ answers: sent[1].id });
  await asked[1];
  vi.advanceTimersByTime(999);
  expect(slow).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  answer({ answers: sent[0].id });
  await asked[0];
  expect([slow, quick].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
  vi.useRealTimers();
});
