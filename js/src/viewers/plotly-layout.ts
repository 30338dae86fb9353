/** Layouts of Plotly in the colours of a board. */
import type { ViewerLook } from "./messages.ts";

type Json = Record<string, unknown>;

/** Fill the frame, and take the board's colours where the figure, not its template, has none of its own. */
export function themed(
  { width: _, height: __, ...layout }: Json,
  { dark, ground, text, line }: ViewerLook,
): Json {
  const template = (layout.template ?? {}) as { layout?: Json };
  const before = template.layout ?? {};
  const colors = (name: string, own: Json) => ({ [name]: { ...(before[name] as Json | undefined), ...own } });
  const lines = { gridcolor: line, linecolor: line, zerolinecolor: line };
  const planes = Object.fromEntries(
    ["xaxis", "yaxis", "zaxis"].map(axis => [axis, { backgroundcolor: ground, ...lines }]),
  );
  const inDark = {
    plot_bgcolor: ground,
    ...colors("font", { color: text }),
    ...colors("xaxis", lines),
    ...colors("yaxis", lines),
    ...colors("scene", planes),
    ...colors("polar", { bgcolor: ground, angularaxis: lines, radialaxis: lines }),
    ...colors("ternary", { bgcolor: ground, aaxis: lines, baxis: lines, caxis: lines }),
    ...colors("modebar", { color: "rgb(128, 128, 128)", activecolor: text }),
  };
  const own = {
    ...before,
    margin: { l: 50, r: 20, b: 40, t: layout.title ? 50 : 30 },
    paper_bgcolor: ground,
    ...(dark ? inDark : {}),
  };
  return { ...layout, autosize: true, template: { ...template, layout: own } };
}
