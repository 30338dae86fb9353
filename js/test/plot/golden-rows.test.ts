import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metricsOf } from "../../src/charts/user-spec.ts";
import { assemble, type Picture } from "../../src/frames/picture.ts";
import { decodeFrame } from "../../src/frames/protocol.ts";
import { type ChartOptions, goalOf, USUAL_OPTIONS, valueFor } from "../../src/plot/chart-options.ts";
import { domainsOf, naturalRange } from "../../src/plot/domains.ts";
import { styleRuns } from "../../src/plot/palette.ts";
import { type ChartContent, type DrawSettings, plotOf } from "../../src/plot/plot.ts";
import type { PlotRow } from "../../src/plot/plot-rows.ts";
import { axisDefinitions, xAxisOf } from "../../src/plot/x-axis.ts";
import type { Theme } from "../../src/ui/theme.ts";

interface View {
  x_axis: string;
  x_log: boolean;
  y_log: boolean;
  smoothing: number;
  smoothing_kind: "mean" | "exponential";
  clip_outliers: DrawSettings["clipOutliers"];
  hidden: string[];
  y_ranges: Record<string, (number | null)[]>;
  reference_lines: Record<string, number[]>;
  best_marks: boolean;
  theme: Theme;
  columns: number;
  plots: {
    metric: string;
    bars: boolean;
    window: [number, number] | null;
    columns: Record<string, (number | string)[]>;
  }[];
}

const WHOLE = { x: null, y: null };
const FOLDER = new URL("../../../tests/golden/rows/", import.meta.url);
const NUMBERS = ["step", "time", "value", "smooth", "x"];
const ROUNDED = new Set(["smooth"]); // sums of means
const PRECISION = 1e-6; // of float32, in which means may be sent
const read = (file: string) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
const files = readdirSync(FOLDER).filter(name => name !== "members.json");

test.each(files)("what is drawn of %s is what Python says", file => {
  const { keyframe, views } = read(file) as { keyframe: { header: unknown; data: string }; views: View[] };
  const data = new Uint8Array(Buffer.from(keyframe.data, "base64"));
  const picture = assemble(decodeFrame({ header: keyframe.header, data }), null, null) as Picture;
  for (const view of views) {
    for (const { metric, bars, window, columns } of view.plots) {
      const options = optionsOf(picture, metric, view);
      const plot = plotOf(contentOf(picture, metric, view), view.columns, options);
      const where = `${metric}, ${JSON.stringify({ ...view, plots: 0 })}`;
      expect(plot.kind === "bar", where).toBe(bars);
      expectColumns(plot.rows, columns, where);
      const { y } = domainsOf(plot, WHOLE, plot.outliers?.limits, options.natural, options.yRange);
      if (!bars) expectWindow(y, window, where);
    }
  }
});

test("users' charts draw the same metrics as in Python", () => {
  for (const { name, globs, metrics, members } of read("members.json"))
    expect(metricsOf({ name, metrics: globs }, metrics), name).toEqual(members);
});

function seriesOf({ series, metrics }: Picture, metric: string) {
  return series.filter(each => metrics[each.metric] === metric);
}

function contentOf(picture: Picture, metric: string, view: View): ChartContent {
  const x = xAxisOf(metric, view.x_axis, axisDefinitions(picture));
  return {
    series: seriesOf(picture, metric),
    fine: [],
    settings: {
      styles: styleRuns(picture.runs, view.theme),
      hidden: new Set(view.hidden),
      smoothing: { amount: view.smoothing, kind: view.smoothing_kind },
      clipOutliers: view.clip_outliers,
      options: {},
    },
    axes: { x, log: { x: view.x_log, y: view.y_log }, xSeries: seriesOf(picture, x) },
    zoom: WHOLE,
  };
}

function optionsOf({ runs }: Picture, metric: string, view: View): ChartOptions {
  return {
    ...USUAL_OPTIONS,
    goal: goalOf(metric, runs),
    yRange: valueFor(view.y_ranges, metric),
    lines: valueFor(view.reference_lines, metric),
    marksBest: view.best_marks,
    natural: naturalRange(metric),
  };
}

function expectWindow(got: readonly number[] | null, wanted: [number, number] | null, where: string) {
  if (!got || !wanted) expect(got, where).toEqual(wanted);
  else for (const end of [0, 1]) expectClose(got[end], wanted[end], `window of ${where}`);
}

function expectColumns(
  rows: readonly PlotRow[],
  columns: Record<string, (number | string)[]>,
  where: string,
) {
  for (const [name, expected] of Object.entries(columns)) {
    const got = rows.map(row => row[name as keyof PlotRow]);
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
