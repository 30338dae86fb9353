import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Heartbeat } from "../../src/frames/heartbeat.ts";
import { FakeModel } from "../fixtures.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

function watch(model: (FakeModel & { widget_manager?: object }) | null = new FakeModel()) {
  const [changed, ends] = [vi.fn(), new AbortController()];
  const pulse = new Heartbeat(model as ConstructorParameters<typeof Heartbeat>[0], changed, ends.signal);
  const wait = (seconds: number, running = true) => {
    for (let i = 0; i < seconds; i++) {
      vi.advanceTimersByTime(1000);
      pulse.check(running);
    }
  };
  return { pulse, model: model as FakeModel, changed, ends, wait };
}

test("a kernel that sends now and then is alive", () => {
  const { pulse, model, changed, wait } = watch();
  for (const trait of ["beat", "delta", "keyframe"]) {
    wait(40);
    model.set(trait, {});
  }
  expect([pulse.state, pulse.notice("p"), changed.mock.calls.length]).toEqual(["heard", undefined, 0]);
});

test("a silent kernel with a running run is reported until it sends", () => {
  const { pulse, model, changed, wait } = watch();
  wait(46);
  expect(pulse.notice('a "p"')).toContain(
    'is not responding. The charts stay as they are; tb.board("a \\"p\\"")',
  );
  model.set("beat", 1);
  expect([pulse.state, changed.mock.calls.length]).toEqual(["heard", 2]);
});

test("a lost connection to a server is noticed at once, until it sends again", () => {
  const { pulse, model } = watch();
  model.set("connection", "connecting");
  expect(pulse.words).toBe("");
  model.set("connection", "lost");
  expect(pulse.words).toBe("no answer");
  model.set("keyframe", {});
  expect(pulse.words).toBe("");
});

test("a silent kernel without a running run is not reported", () => {
  const { pulse, wait } = watch();
  wait(100, false);
  expect(pulse.state).toBe("heard");
});

test("a page that slept does not report the kernel", () => {
  const { pulse, wait } = watch();
  vi.advanceTimersByTime(3_600_000);
  wait(1);
  expect(pulse.state).toBe("heard");
  wait(46);
  expect(pulse.state).toBe("silent");
});

test("a hidden page with slow timers misses no kernel, and notices a dead one later", () => {
  const { pulse, wait } = watch();
  for (let minute = 0; minute < 60; minute++) {
    vi.advanceTimersByTime(60_000);
    pulse.check(true);
  }
  expect(pulse.state).toBe("heard");
  wait(46);
  expect(pulse.state).toBe("silent");
});

test("the host's kernel status counts immediately and for good", () => {
  const slots = new Set<(sender: unknown, status: string) => void>();
  const statusChanged = {
    connect: (slot: () => void) => slots.add(slot),
    disconnect: (slot: () => void) => slots.delete(slot),
  };
  const model = Object.assign(new FakeModel(), { widget_manager: { kernel: { statusChanged } } });
  const { pulse, ends } = watch(model);
  for (const slot of slots) slot(null, "busy");
  expect(pulse.state).toBe("heard");
  for (const slot of slots) slot(null, "autorestarting");
  expect(pulse.notice("p")).toContain("has stopped");
  model.set("beat", 1);
  expect(pulse.state).toBe("gone");
  ends.abort();
  expect([slots.size, model.listening]).toEqual([0, 0]);
});

test("a saved page never reports its kernel", () => {
  const { pulse, wait } = watch(null);
  wait(100);
  expect(pulse.state).toBe("heard");
});
