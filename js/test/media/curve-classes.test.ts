import { expect, test } from "vitest";
import { withClassColors } from "../../src/media/curve-classes.ts";
import { PALETTE } from "../../src/plot/palette.ts";

type Colored = { config: { range: { category: string[] }; title?: unknown } };

test("the classes of one run's chart have colours of no run", () => {
  const { config } = withClassColors({ mark: "line", config: { title: { fontSize: 9 } } }) as Colored;
  const ofRuns: readonly string[] = [...PALETTE.light.line, ...PALETTE.dark.line];
  expect(config.range.category.filter(color => ofRuns.includes(color))).toEqual([]);
  expect(config.title).toEqual({ fontSize: 9 });
});

test("a chart keeps the colours that it chose", () => {
  const chosen = { config: { range: { category: ["red"] } } };
  expect((withClassColors(chosen) as Colored).config.range.category).toEqual(["red"]);
});
