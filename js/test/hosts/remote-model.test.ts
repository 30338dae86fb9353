// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RemoteModel } from "../../src/hosts/remote-model.ts";
import { FakeSocket, last } from "./fake-socket.ts";

let ends = new AbortController();

function connected() {
  const model = new RemoteModel("ws://here/ws?project=p", ends.signal);
  last().open();
  return model;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.made = [];
  ends = new AbortController();
});

afterEach(() => {
  ends.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("sets all traits of a message before it tells of one", () => {
  const model = connected();
  const seen: unknown[] = [];
  model.on("change:keyframe", () => seen.push(model.get("delta")));
  last().hear(
    [{ trait: "keyframe", value: { header: 1 }, buffers: [["data", 3]] }, Uint8Array.of(1, 2, 3)],
    [{ trait: "delta", value: "new", buffers: [] }],
  );
  expect(seen).toEqual(["new"]);
  const { header, data } = model.get("keyframe") as { header: number; data: DataView };
  expect([header, data.byteLength, data.getUint8(2)]).toEqual([1, 3, 3]);
  expect(model.get("connection")).toBe("connected");
});

test("answers arrive with their buffers", () => {
  const model = connected();
  const heard: unknown[] = [];
  model.on("msg:custom", (content, buffers) => heard.push(content, (buffers as DataView[])[1].getUint8(0)));
  model.send({ ask: "points", id: 5 });
  expect(last().sent).toEqual([{ ask: "points", id: 5 }]);
  const answer = {
    answer: { answers: 5 },
    buffers: [
      ["", 1],
      ["", 9],
    ],
  };
  last().hear([answer, Uint8Array.of(7), new Uint8Array(9).fill(8)]);
  expect(heard).toEqual([{ answers: 5 }, 8]);
});

test("connects again, later each time, and tells the new server what the page has set", () => {
  const model = connected();
  model.set("selected_runs", ["a"]);
  model.save_changes();
  last().close();
  expect(model.get("connection")).toBe("lost");
  for (let attempt = 0; attempt < 12; attempt++) {
    vi.advanceTimersByTime(12_500);
    expect(FakeSocket.made.length).toBeGreaterThan(attempt + 1);
    last().close();
  }
  const attempts = FakeSocket.made.length; // after 2.5 min
  vi.advanceTimersByTime(12_500);
  expect(FakeSocket.made.length - attempts).toBeLessThanOrEqual(2);
  last().open();
  expect(last().sent).toEqual([{ set: { selected_runs: ["a"] } }]);
  last().hear([{ trait: "beat", value: 1, buffers: [] }]);
  expect(model.get("connection")).toBe("connected");
});

test("connects within 1.25 s to a server that restarts, for half a minute", () => {
  connected();
  last().close();
  for (let attempt = 1; attempt < 20; attempt++) {
    vi.advanceTimersByTime(1_250);
    expect(FakeSocket.made.length).toBeGreaterThan(attempt);
    last().close();
  }
  last().open();
  last().close(); // and again
  vi.advanceTimersByTime(625);
  const attempts = FakeSocket.made.length;
  for (let attempt = 1; attempt < 20; attempt++) {
    last().close();
    vi.advanceTimersByTime(1_250);
    expect(FakeSocket.made.length).toBeGreaterThanOrEqual(attempts + attempt);
  }
});

test("a question that the lost connection leaves open is refused", () => {
  const model = connected();
  const heard: unknown[] = [];
  model.on("msg:custom", content => heard.push(content));
  model.send({ ask: "console", id: 3 });
  last().close();
  expect(heard).toEqual([{ answers: 3, error: "The connection to the server was lost." }]);
});

test("a refusing server is not asked again", () => {
  const model = connected();
  last().hear([{ trait: "refused", value: { code: 4404, reason: "no" }, buffers: [] }]);
  expect(model.get("connection")).toBe("refused");
  last().close();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(1);
});

test("the end of its page closes the connection for good", () => {
  connected();
  ends.abort();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(last().readyState).toBe(3);
});
