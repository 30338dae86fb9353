import { describe, expect, test } from "vitest";
import { assemble, OtherVersion, type Picture } from "../src/picture.ts";
import { decodeFrame, type FrameHeader } from "../src/protocol.ts";
import { frame, run } from "./frames.ts";

type Values = Record<number, number>;

function one(values: Values, header: Partial<FrameHeader> = {}) {
  const rows = Object.entries(values).map(([step, value]) => [Number(step), 0, value]);
  return decodeFrame(frame([{ run: 0, metric: 0, rows }], header));
}

const keyframe = (values: Values, header: Partial<FrameHeader> = {}) => one(values, header);
const delta = (values: Values, header: Partial<FrameHeader>) =>
  one(values, { base: 1, runs: [], metrics: [], ...header });
const show = (...args: Parameters<typeof assemble>) => assemble(...args) as Picture;
const values = (picture: Picture) => [...(picture.series[0].columns as { value: Float64Array }).value];

describe("a delta", () => {
  test("of the keyframe's session and seq applies", () => {
    const picture = show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2 }), null);
    expect(values(picture)).toEqual([1, 2]);
    expect(picture.seq).toBe(2);
  });

  test("of an older keyframe is stale", () => {
    const picture = show(keyframe({ 0: 1 }, { seq: 5 }), delta({ 1: 2 }, { seq: 4, base: 3 }), null);
    expect(values(picture)).toEqual([1]);
    expect(picture.seq).toBe(5);
  });

  test("of a newer keyframe waits, and what is shown stays", () => {
    const shown = show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2 }), null);
    const waiting = delta({ 3: 4 }, { seq: 9, base: 8 });
    expect(show(keyframe({ 0: 1 }), waiting, shown)).toBe(shown);
    expect(values(show(keyframe({ 0: 1, 1: 2 }, { seq: 8 }), waiting, shown))).toEqual([1, 2, 4]);
  });

  test("of another session does not apply", () => {
    expect(values(show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2, session: "other" }), null))).toEqual([
      1,
    ]);
  });

  test("is cumulative, so that one which was missed is not missed", () => {
    const shown = show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2 }), null);
    expect(values(show(keyframe({ 0: 1 }), delta({ 1: 2, 2: 3, 3: 4 }, { seq: 7 }), shown))).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test("brings new runs, metrics and changed runs", () => {
    const changed = [run(0, { state: "finished" }), run(1)];
    const late = decodeFrame(
      frame([{ run: 1, metric: 1, rows: [[0, 0, 5]] }], {
        base: 1,
        seq: 2,
        runs: changed,
        metrics: ["__proto__/😀"],
      }),
    );
    const picture = show(keyframe({ 0: 1 }), late, null);
    expect(picture.runs.map(({ state }) => state)).toEqual(["finished", "running"]);
    expect(picture.metrics).toEqual(["loss", "__proto__/😀"]);
    expect(picture.series.map(each => [each.run, each.metric])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

describe("a picture", () => {
  test("waits for the first keyframe", () => {
    expect(assemble(null, delta({ 0: 1 }, { seq: 2 }), null)).toBeNull();
  });

  test("never goes back within a session", () => {
    const shown = show(keyframe({ 0: 1 }, { seq: 9 }), null, null);
    expect(show(keyframe({}, { seq: 8 }), null, shown)).toBe(shown);
  });

  test("of a new session replaces any other", () => {
    const shown = show(keyframe({ 0: 1 }, { seq: 9 }), null, null);
    const fresh = show(keyframe({ 0: 7 }, { seq: 1, session: "new" }), null, shown);
    expect([fresh.session, ...values(fresh)]).toEqual(["new", 7]);
  });

  test("loses rows only to a new keyframe", () => {
    const shown = show(keyframe({ 0: 1, 1: 2 }), null, null);
    expect(values(show(keyframe({ 0: 1 }, { seq: 2 }), null, shown))).toEqual([1]);
  });

  test("keeps the very series that did not change", () => {
    const both = (last: number) => [
      { run: 0, metric: 0, rows: [[0, 0, 1]] },
      { run: 0, metric: 1, rows: [[0, 0, last]] },
    ];
    const first = show(decodeFrame(frame(both(1), { metrics: ["a", "b"] })), null, null);
    const second = show(decodeFrame(frame(both(2), { metrics: ["a", "b"], seq: 2 })), null, first);
    expect(second.series[0]).toBe(first.series[0]);
    expect(second.series[1]).not.toBe(first.series[1]);
  });

  test("of another version is refused with what to do", () => {
    expect(() => assemble(keyframe({}, { version: 2 }), null, null)).toThrow(OtherVersion);
    expect(() => assemble(keyframe({}, { version: 2 }), null, null)).toThrow(
      "restart the kernel and run the cell again",
    );
  });
});
