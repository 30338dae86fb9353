/** Draws figures of Plotly by the plotly.js of the user's own Python package, which stands before this script. */
import { jsonOf, serveViewer } from "./frame.ts";
import { themed } from "./plotly-layout.ts";

type Json = Record<string, unknown>;

interface PlotlyLibrary {
  react(place: HTMLElement, figure: Json): Promise<unknown>;
}

declare const Plotly: PlotlyLibrary;

const MAP = /topojson|^map\b/i;
const MAP_WORDS = "it is a map, whose shapes are on another server, and a viewer loads nothing";
const REFUSED = ["toImage", "sendChartToCloud", "sendDataToCloud"]; // a frame neither saves files nor opens pages

serveViewer(async (place, call) => {
  const { data = [], layout, frames } = jsonOf(call) as { data?: unknown; layout?: Json; frames?: unknown };
  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: REFUSED };
  const figure = { data, layout: themed(layout ?? {}, call.look), frames, config };
  await Plotly.react(place, figure).catch(error => {
    throw MAP.test(String(error?.message ?? error)) ? new Error(MAP_WORDS) : error;
  });
});
