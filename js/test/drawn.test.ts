import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { styleRuns } from "../src/palette.ts";
import { assemble, type Picture } from "../src/picture.ts";
import { type Look, plotOf, valueWindow } from "../src/plot.ts";
import { decodeFrame } from "../src/protocol.ts";
import type { Row } from "../src/rows.ts";
import type { Theme } from "../src/theme.ts";
import { membersOf } from "../src/user-charts.ts";

interface View {
  x_axis: string;
  smoothing: number;
  hidden: string[];
  theme: Theme;
  columns: number;
  plots: {
    metric: string;
    bars: boolean;
    window: [number, number] | null;
    columns: Record<string, (number | string)[]>;
  }[];
}

const FOLDER = new URL("../../tests/golden/rows/", import.meta.url);
const NUMBERS = ["step", "time", "value", "smooth", "x"];
const ROUNDED = new Set(["smooth"]); // sums of means
const PRECISION = 1e-6; // of float32, as which means may travel
const read = (file: string) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
const files = readdirSync(FOLDER).filter(name => name !== "members.json");

test.each(files)("what is drawn of %s is what Python says", file => {
  const { keyframe, views } = read(file) as { keyframe: { header: unknown; data: string }; views: View[] };
  const data = new Uint8Array(Buffer.from(keyframe.data, "base64"));
  const picture = assemble(decodeFrame({ header: keyframe.header, data }), null, null) as Picture;
  for (const view of views) {
    for (const { metric, bars, window, columns } of view.plots) {
      const plot = plotOf(seriesOf(picture, metric), lookOf(picture, view), view.columns);
      const where = `${metric}, ${JSON.stringify({ ...view, plots: 0 })}`;
      expect(plot.kind === "bar", where).toBe(bars);
      expectColumns(plot.rows, columns, where);
      if (!bars) expect(valueWindow(plot, null), where).toEqual(window);
    }
  }
});

test("a user's chart gets the rows of the metrics that Python says", () => {
  for (const { name, globs, metrics, members } of read("members.json"))
    expect(membersOf({ name, metrics: globs }, metrics), name).toEqual(members);
});

function seriesOf({ series, metrics }: Picture, metric: string) {
  return series.filter(each => metrics[each.metric] === metric);
}

function lookOf({ runs }: Picture, view: View): Look {
  const { x_axis: xAxis, smoothing, hidden, theme } = view;
  return { styles: styleRuns(runs, theme), hidden: new Set(hidden), xAxis, smoothing };
}

function expectColumns(rows: readonly Row[], columns: Record<string, (number | string)[]>, where: string) {
  for (const [name, expected] of Object.entries(columns)) {
    const got = rows.map(row => row[name as keyof Row]);
    const wanted = NUMBERS.includes(name) ? expected.map(Number) : expected;
    if (!ROUNDED.has(name)) expect(got, `${name} of ${where}`).toEqual(wanted);
    else for (const [i, value] of got.entries()) expectClose(value, wanted[i], `${name}[${i}] of ${where}`);
  }
}

function expectClose(got: unknown, wanted: unknown, where: string) {
  if (!Number.isFinite(wanted)) expect(got, where).toBe(wanted);
  else
    expect(Math.abs((got as number) - (wanted as number)), where).toBeLessThan(
      PRECISION * Math.max(1, Math.abs(wanted as number)),
    );
}
