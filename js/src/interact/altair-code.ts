import type { XAxis } from "../frames/view-state.ts";
import { literal, ownEntry } from "../metrics.ts";
import type { RunStyle } from "../plot/plot-rows.ts";
import type { LogAxes } from "../plot/specs.ts";

/** The chart to write code for. */
interface ChartDescription {
  project: string;
  metric: string;
  styles: readonly RunStyle[];
  x: XAxis;
  log: LogAxes;
}

const X: Record<string, readonly [expression: string, type: string, title: string]> = {
  step: ['pl.col("step")', "Q", "step"],
  relative: ['pl.col("time") - pl.col("time").min().over("run_id")', "Q", "seconds"],
  time: ['pl.from_epoch(pl.col("time") * 1000, time_unit="ms").dt.replace_time_zone("UTC")', "T", "time"],
};

/** Write a Python program that draws the chart with Altair from the stored points. */
export function altairCode({ project, metric, styles, x, log }: ChartDescription): string {
  const [expression, type, title] = ownEntry(X, x) ?? ['pl.col("x")', "Q", x];
  const ids = styles.map(({ run }) => run.id);
  const scale = (axis: "x" | "y") => `alt.Scale(zero=False${log[axis] ? ', type="log"' : ""})`;
  const list = (items: readonly string[]) => `[${items.map(text).join(", ")}]`;
  const labels = styles.map(({ run, label }) => `${text(run.id)}: ${text(literal(label))}`);
  return `import altair as alt
import polars as pl
import trackbook as tb

project = ${text(project)}
points = tb.sql(${text(query(metric, ids))}, project)
${x in X ? "" : joinCode(x, ids)}points = points.sort("run_id", "step").with_columns(
    x=${expression},
    run=pl.col("run_id").replace_strict({${labels.join(", ")}}),
)
points = points.gather_every(1 + len(points) // 5_000)  # every n-th of very many: Altair takes 5,000 rows

alt.Chart(points).mark_line(clip=True).encode(
    x=alt.X("x:${type}", title=${text(title)}, scale=${type === "T" ? "alt.Scale()" : scale("x")}),
    y=alt.Y("value:Q", title=${text(metric)}, scale=${scale("y")}),
    color=alt.Color("run:N", scale=alt.Scale(domain=${list(styles.map(({ label }) => literal(label)))}, range=${list(styles.map(({ color }) => color))})),
    detail="run_id:N",
).properties(width=600, height=300)
`;
}

/** Join the x metric's value at each point's step, or the last one before. */
function joinCode(metric: string, ids: readonly string[]): string {
  return `axis = tb.sql(${text(query(metric, ids))}, project).select("run_id", "step", x="value")
points = points.sort("step").join_asof(axis.sort("step"), on="step", by="run_id")
`;
}

function query(metric: string, ids: readonly string[]): string {
  const quote = (name: string) => `'${name.replaceAll("'", "''")}'`;
  return `select run_id, step, value, time from points where metric = ${quote(metric)} and run_id in (${ids.map(quote).join(", ")})`;
}

/** Quote a Python string; JSON's escapes are valid in Python. */
function text(value: string): string {
  return JSON.stringify(value);
}
