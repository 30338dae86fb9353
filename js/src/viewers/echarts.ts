/** Draws options of ECharts. */
import { type ECharts, init } from "echarts";
import { harmless } from "./echarts-option.ts";
import { jsonOf, serveViewer } from "./frame.ts";

type Json = Record<string, unknown>;
let chart: ECharts | undefined;

serveViewer((place, call) => {
  const { dark, text, font } = call.look;
  chart?.dispose();
  chart = init(place, dark ? "dark" : null);
  const given = harmless(jsonOf(call)) as Json;
  chart.setOption({
    backgroundColor: "transparent",
    textStyle: { color: text, fontFamily: font },
    aria: { enabled: true },
    animation: false, // the steps of a run follow each other
    ...given,
    ...(matchMedia("(prefers-reduced-motion: reduce)").matches ? { animation: false } : {}),
  });
  const types = [given.series ?? []].flat().map(series => (series as Json).type);
  if (types.length && ![chart.getOption().series ?? []].flat().length)
    throw new Error(`there is no series of type ${types[0]}`);
});
addEventListener("resize", () => chart?.resize());
