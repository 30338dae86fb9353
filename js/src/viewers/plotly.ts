/** Draws figures of Plotly by the plotly.js of the user's own Python package, which stands before this script. */
import { jsonOf, serveViewer } from "./frame.ts";
import { themed } from "./plotly-layout.ts";

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
