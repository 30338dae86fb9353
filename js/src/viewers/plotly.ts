/** Draws figures of Plotly by the plotly.js of the user's own Python package, which stands before this script. */
import { jsonOf, serveViewer } from "./frame.ts";
import type { ViewerLook } from "./messages.ts";

type Json = Record<string, unknown>;

interface PlotlyLibrary {
  react(place: HTMLElement, figure: Json): Promise<unknown>;
}

declare const Plotly: PlotlyLibrary;

const REFUSED = ["toImage", "sendChartToCloud", "sendDataToCloud"]; // a frame neither saves files nor opens pages

serveViewer(async (place, call) => {
  const { data = [], layout, frames } = jsonOf(call) as { data?: unknown; layout?: Json; frames?: unknown };
  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: REFUSED };
  await Plotly.react(place, { data, layout: themed(layout ?? {}, call.look), frames, config });
});

/** Fill the frame, and take the board's colours where the figure, not its template, has none of its own. */
function themed({ width: _, height: __, ...layout }: Json, { dark, ground, text, line }: ViewerLook): Json {
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
