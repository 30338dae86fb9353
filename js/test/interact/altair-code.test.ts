import { expect, test } from "vitest";
import { altairCode } from "../../src/interact/altair-code.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { run } from "../fixtures.ts";

const HOSTILE = [
  'it\'s "quoted" \\ and\nbroken',
  "'; drop table points; --",
  "{datum.value} {{x}} $x %s",
  "\u2028 \0 損失 👩‍🚀 </script>",
  "a:Q",
];

/** The programs that `tests/charts/test_altair_code.py` runs: one chart per x axis, with hostile names. */
const programs = ["step", "relative", "time", HOSTILE[1]].map(x =>
  altairCode({
    project: 'it\'s a "project"',
    metric: HOSTILE[0],
    styles: [
      ...styleRuns(
        [0, 1].map(key => run(key, { name: HOSTILE[2 + key] })),
        "light",
      ).values(),
    ],
    x,
    log: { x: false, y: true },
  }),
);

test("the code equals the programs that Python's tests run", async () => {
  await expect(`${JSON.stringify(programs, null, 2)}\n`).toMatchFileSnapshot(
    "../../../tests/charts/altair_code.json",
  );
});

test("names are quoted", () => {
  for (const program of programs) {
    expect(program.split("\n").filter(line => line.includes("drop table"))).not.toContain(HOSTILE[1]);
    expect(program).toContain('project = "it\'s a \\"project\\""');
  }
});
