import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble, type Picture } from "../../src/frames/picture.ts";
import { decodeFrame, type Frame } from "../../src/frames/protocol.ts";
import type { Series } from "../../src/frames/series.ts";

interface SavedFrame {
  header: unknown;
  data: string;
}
interface Golden {
  name: string;
  frames: { keyframe?: SavedFrame; delta?: SavedFrame }[];
  picture: {
    seq: number;
    project: string;
    runs: unknown[];
    metrics: string[];
    series: { run: number; metric: number; width: number; columns: Record<string, (number | string)[]> }[];
  };
}

const FOLDER = new URL("../../../tests/golden/", import.meta.url);
// these values are merged here after each was rounded
const PRECISION: Record<string, number> = { mean: 3e-7, m2: 1e-5 };
const jsonIn = (folder: string) =>
  readdirSync(new URL(folder, FOLDER))
    .filter(name => name.endsWith(".json"))
    .map(name => folder + name);
// frames of version 3 are in notebooks that were saved earlier
const files = [...jsonIn("./"), ...jsonIn("version3/")];

test("golden files exist", () => {
  expect(files.length).toBeGreaterThan(10);
});

test.each(files)("the picture of %s is the kernel's", file => {
  const golden: Golden = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
  const picture = play(golden.frames) as Picture;
  const { seq, project, runs, metrics } = picture;
  const { series, ...rest } = golden.picture;
  expect({ seq, project, runs, metrics }).toEqual(rest);
  const identity = (each: { run: number; metric: number; width: number }) => [
    each.run,
    each.metric,
    each.width,
  ];
  expect(picture.series.map(identity)).toEqual(series.map(identity));
  series.forEach((expected, i) => {
    expectColumns(picture.series[i], expected.columns);
  });
});

function play(frames: Golden["frames"]): Picture | null {
  let [keyframe, delta, picture]: [Frame | null, Frame | null, Picture | null] = [null, null, null];
  for (const message of frames) {
    if (message.keyframe) keyframe = decode(message.keyframe);
    if (message.delta) delta = decode(message.delta);
    picture = assemble(keyframe, delta, picture);
  }
  return picture;
}

function decode({ header, data }: SavedFrame): Frame | null {
  return decodeFrame({ header, data: new Uint8Array(Buffer.from(data, "base64")) });
}

function expectColumns(series: Series, expected: Record<string, (number | string)[]>) {
  expect(Object.keys(series.columns).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, column] of Object.entries(series.columns)) {
    const wanted = expected[name].map(Number);
    for (const [row, value] of wanted.entries())
      expectClose(column[row], value, PRECISION[name] ?? 1.2e-7, `${name}[${row}]`);
    expect(column.length, name).toBe(wanted.length);
  }
}

function expectClose(actual: number, wanted: number, precision: number, name: string) {
  if (!Number.isFinite(wanted)) expect(actual, name).toBe(wanted);
  else
    expect(Math.abs(actual - wanted), name).toBeLessThanOrEqual(Math.max(1e-9, precision * Math.abs(wanted)));
}
