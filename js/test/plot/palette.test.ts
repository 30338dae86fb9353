import { describe, expect, test } from "vitest";
import { currentRun, PALETTE, styleRuns } from "../../src/plot/palette.ts";
import { run } from "../fixtures.ts";

type Triple = readonly [number, number, number];

/** Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB. */
const SIGHTS: Record<string, readonly Triple[]> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(hex: string): Triple {
  const channel = (at: number) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

const apply = (matrix: readonly Triple[], v: Triple) =>
  matrix.map(row => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as unknown as Triple;

function oklab(rgb: Triple): Triple {
  const cones = apply(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  );
  return apply(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones.map(c => Math.cbrt(Math.max(0, c))) as unknown as Triple,
  );
}

function contrast(a: string, b: string): number {
  const luminance = (hex: string) => apply([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

describe.each([
  ["light", "#ffffff"],
  ["dark", "#111111"],
] as const)("the %s palette", (theme, background) => {
  const { line, ink, faded } = PALETTE[theme];

  test.each(Object.entries(SIGHTS))("keeps its colours apart with %s colour vision", (_, sight) => {
    const seen = line.map(color => oklab(apply(sight, linear(color))));
    const distances = seen.flatMap((a, i) =>
      seen.slice(i + 1).map(b => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])),
    );
    expect(Math.min(...distances)).toBeGreaterThan(0.09);
  });

  test("has eight colours first that differ in lightness as well, neighbours most", () => {
    const lightness = line.slice(0, 8).map(color => oklab(linear(color))[0]);
    const sorted = [...lightness].sort((a, b) => a - b);
    const gaps = sorted.slice(1).map((value, i) => value - sorted[i]);
    expect(Math.min(...gaps)).toBeGreaterThan(0.03);
    const steps = lightness.slice(1).map((value, i) => Math.abs(value - lightness[i]));
    expect(Math.min(...steps)).toBeGreaterThan(0.04);
  });

  test("has faded lines that contrast where high contrast is asked for", () => {
    const color = (strong: boolean) =>
      styleRuns([run(0, { faded: true })], theme, {}, strong).get(0)?.color ?? "";
    expect(contrast(color(true), background)).toBeGreaterThan(3);
    expect(color(false)).toBe(faded.line);
  });

  test("has enough contrast for lines and for text", () => {
    expect(Math.min(...line.map(color => contrast(color, background)))).toBeGreaterThanOrEqual(3);
    expect(Math.min(...[...ink, faded.ink].map(color => contrast(color, background)))).toBeGreaterThanOrEqual(
      4.5,
    );
  });
});

test("colours follow the place, and dashes tell runs of the same colour apart", () => {
  const styles = styleRuns([run(0), run(10), run(21)], "light");
  expect(styles.get(10)?.color).toBe(styles.get(0)?.color);
  expect([0, 10, 21].map(key => styles.get(key)?.dash.length)).toEqual([0, 2, 0]);
});

test("a run has the colour of its place in the project, on whatever board", () => {
  const [here, there] = [run(0, { place: 37 }), run(5, { place: 37 })];
  const alone = styleRuns([here], "light").get(0);
  const among = styleRuns([run(0, { place: 17 }), there], "light").get(5);
  expect([alone?.color, alone?.dash]).toEqual([PALETTE.light.line[7], []]);
  expect([among?.color, among?.dash]).toEqual([alone?.color, PALETTE.dashes[1]]);
});

test("many runs have no dashes, which would blur", () => {
  const styles = [
    ...styleRuns(
      Array.from({ length: 21 }, (_, key) => run(key)),
      "light",
    ).values(),
  ];
  expect(styles.some(({ dash }) => dash.length)).toBe(false);
});

test("a repeated name gets its run id", () => {
  const styles = styleRuns([run(0, { name: "a" }), run(1, { name: "a" }), run(2, { name: "b" })], "light");
  expect([...styles.values()].map(({ label }) => label)).toEqual(["a (id0)", "a (id1)", "b"]);
});

test("the current run is the newest running one, else the newest", () => {
  const ended = { state: "finished" } as const;
  expect(currentRun([run(0), run(1), run(2, ended)])?.key).toBe(1);
  expect(currentRun([run(0, ended), run(1, ended), run(2, { faded: true })])?.key).toBe(1);
  expect(currentRun([])).toBeUndefined();
});

test("an older run that was added later does not become the current one", () => {
  const ended = { state: "finished" } as const;
  const [newest, added] = [run(0, { ...ended, started: 200 }), run(1, { ...ended, started: 100 })];
  expect(currentRun([newest, added])?.key).toBe(0);
});

test.each(["light", "dark"] as const)(
  "a colour somebody chose stays the line's, and its text can be read: %s",
  theme => {
    for (const color of ["#ffff00", "#000000", "#ffffff", "#808080", "#ff0000", "#0000ff"]) {
      const style = styleRuns([run(0)], theme, { id0: color }).get(0);
      expect(style?.color).toBe(color);
      expect(contrast(style?.ink as string, theme === "dark" ? "#111111" : "#ffffff")).toBeGreaterThanOrEqual(
        4.4,
      );
    }
  },
);

test("chosen colours belong to run ids", () => {
  const plain = styleRuns([run(0, { id: "__proto__" })], "light").get(0);
  expect(styleRuns([run(0, { id: "__proto__" })], "light", {}).get(0)).toEqual(plain);
});

test("of many runs the few that are drawn have dashes", () => {
  const runs = Array.from({ length: 22 }, (_, key) => run(key));
  const drawn = ["id3", "id4", "id13", "id14"];
  const hidden = new Set(runs.map(({ id }) => id).filter(id => !drawn.includes(id)));
  const dashes = [...styleRuns(runs, "light", {}, false, hidden).values()].flatMap(({ run, dash }) =>
    drawn.includes(run.id) ? [dash] : [],
  );
  expect(dashes).toEqual([[], [], PALETTE.dashes[1], PALETTE.dashes[1]]);
});
