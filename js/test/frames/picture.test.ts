import { describe, expect, test } from "vitest";
import { assemble, type Picture, VersionMismatch } from "../../src/frames/picture.ts";
import { decodeFrame, type FrameHeader } from "../../src/frames/protocol.ts";
import { frame, run } from "../fixtures.ts";

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
  test("of the keyframe's session and seq is applied", () => {
    const picture = show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2 }), null);
    expect(values(picture)).toEqual([1, 2]);
    expect(picture.seq).toBe(2);
  });

  test("of an older keyframe is ignored", () => {
    const picture = show(keyframe({ 0: 1 }, { seq: 5 }), delta({ 1: 2 }, { seq: 4, base: 3 }), null);
    expect(values(picture)).toEqual([1]);
    expect(picture.seq).toBe(5);
  });

  test("of a newer keyframe waits while the picture stays", () => {
    const shown = show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2 }), null);
    const waiting = delta({ 3: 4 }, { seq: 9, base: 8 });
    expect(show(keyframe({ 0: 1 }), waiting, shown)).toBe(shown);
    expect(values(show(keyframe({ 0: 1, 1: 2 }, { seq: 8 }), waiting, shown))).toEqual([1, 2, 4]);
  });

  test("of another session is ignored", () => {
    expect(values(show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2, session: "other" }), null))).toEqual([
      1,
    ]);
  });

  test("is cumulative, so that a lost delta does no harm", () => {
    const shown = show(keyframe({ 0: 1 }), delta({ 1: 2 }, { seq: 2 }), null);
    expect(values(show(keyframe({ 0: 1 }), delta({ 1: 2, 2: 3, 3: 4 }, { seq: 7 }), shown))).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test("adds runs and metrics, and updates runs", () => {
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
  test("requires a keyframe", () => {
    expect(assemble(null, delta({ 0: 1 }, { seq: 2 }), null)).toBeNull();
  });

  test("never goes back within a session", () => {
    const shown = show(keyframe({ 0: 1 }, { seq: 9 }), null, null);
    expect(show(keyframe({}, { seq: 8 }), null, shown)).toBe(shown);
  });

  test("of a new session replaces the old one", () => {
    const shown = show(keyframe({ 0: 1 }, { seq: 9 }), null, null);
    const fresh = show(keyframe({ 0: 7 }, { seq: 1, session: "new" }), null, shown);
    expect([fresh.session, ...values(fresh)]).toEqual(["new", 7]);
  });

  test("loses rows only with a new keyframe", () => {
    const shown = show(keyframe({ 0: 1, 1: 2 }), null, null);
    expect(values(show(keyframe({ 0: 1 }, { seq: 2 }), null, shown))).toEqual([1]);
  });

  test("keeps unchanged series as the same objects", () => {
    const both = (last: number) => [
      { run: 0, metric: 0, rows: [[0, 0, 1]] },
      { run: 0, metric: 1, rows: [[0, 0, last]] },
    ];
    const first = show(decodeFrame(frame(both(1), { metrics: ["a", "b"] })), null, null);
    const second = show(decodeFrame(frame(both(2), { metrics: ["a", "b"], seq: 2 })), null, first);
    expect(second.series[0]).toBe(first.series[0]);
    expect(second.series[1]).not.toBe(first.series[1]);
  });

  test("of another version is refused with a remedy", () => {
    expect(() => assemble(keyframe({}, { version: 99 }), null, null)).toThrow(VersionMismatch);
    expect(() => assemble(keyframe({}, { version: 99 }), null, null)).toThrow(
      "restart the kernel and run the cell again",
    );
  });
});

describe("a coarser keyframe", () => {
  // a bucket of two steps whose values float32 rounded
  const bucket = (at: number, [first, last]: number[]) => {
    const [low, high] = first < last ? [first, last] : [last, first];
    const corners = [first, low, high, last].flatMap(value => {
      const step = 2 * at + (value === first ? 0 : 1);
      return [step, 0, Math.fround(value)];
    });
    return [at, 2, (first + last) / 2, 0, 0, 0, 0, ...corners];
  };
  const coarse = (values: number[][], header: Partial<FrameHeader> = {}) =>
    decodeFrame(
      frame([{ run: 0, metric: 0, width: 2, rows: values.map((pair, at) => bucket(at, pair)) }], {
        seq: 5,
        ...header,
      }),
    );
  const shown = show(keyframe({ 0: 0.1, 1: 0.2, 2: 0.4, 3: 0.3 }), null, null);

  test("with the same data keeps the finer rows", () => {
    const picture = show(coarse([[0.1, 0.2], [0.4, 0.3]]), null, shown); // biome-ignore format: a table
    expect(picture.seq).toBe(5);
    expect(picture.series[0]).toBe(shown.series[0]);
  });

  test("with more or other data replaces the finer rows", () => {
    const more = show(coarse([[0.1, 0.2], [0.4, 0.3], [9, 8]]), null, shown); // biome-ignore format: a table
    expect(more.series[0].width).toBe(2);
    const other = show(coarse([[0.1, 0.2], [0.4, 0.35]]), null, shown); // biome-ignore format: a table
    expect(other.series[0].width).toBe(2);
  });

  test("of another session replaces the finer rows", () => {
    const picture = show(coarse([[0.1, 0.2], [0.4, 0.3]], { session: "new" }), null, shown); // biome-ignore format: a table
    expect(picture.series[0].width).toBe(2);
  });
});

describe("omitted series", () => {
  const metrics = ["a", "b", "c", "d", "e"];
  const all = metrics.map((_, metric) => ({ run: 0, metric, rows: [[0, 0, 1]] }));
  const omitted = (count: number, left: number[]) => ({
    count,
    series: left.map((metric): [number, number] => [0, metric]),
  });

  test("are described in a notice", () => {
    const few = decodeFrame(frame(all.slice(0, 1), { metrics, omitted: omitted(4, [1, 2, 3, 4]) }));
    expect(show(few, null, null).notices).toEqual([
      "4 of 5 series are left out to keep the board small: b, c, d and 1 more metrics.",
    ]);
  });

  test("stay shown if they were, and are not missing", () => {
    const shown = show(decodeFrame(frame(all, { metrics })), null, null);
    const few = decodeFrame(frame(all.slice(0, 1), { metrics, seq: 2, omitted: omitted(4, [1, 2, 3, 4]) }));
    const picture = show(few, null, shown);
    expect(picture.series).toHaveLength(5);
    expect(picture.notices).toEqual([]);
  });

  test("are counted if there are too many to name", () => {
    const few = decodeFrame(frame(all.slice(0, 1), { metrics, omitted: omitted(70_000, [1]) }));
    expect(show(few, null, null).notices[0]).toContain("70000 of 70001 series");
  });
});
