/** Draws options of ECharts. */
import { type ECharts, init } from "echarts";
import { jsonOf, serveViewer } from "./frame.ts";

type Json = Record<string, unknown>;
const LEFT_OUT = ["link", "sublink", "dataView", "saveAsImage"]; // lead elsewhere, or are HTML, or are refused by the frame
const CODE = /^\s*function\b/; // of pyecharts: a file's code is not run

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

/** Remove links and code, and have all tooltips drawn as text: as HTML a formatter of the file would be markup here. */
function harmless(value: unknown, key = ""): unknown {
  if (key === "tooltip") return withText(value);
  if (Array.isArray(value)) return value.map(each => harmless(each));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([name, each]) => !LEFT_OUT.includes(name) && !(typeof each === "string" && CODE.test(each)),
  );
  return Object.fromEntries(kept.map(([name, each]) => [name, harmless(each, name)]));
}

function withText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withText);
  if (typeof value !== "object" || value === null) return value;
  const { formatter, ...rest } = harmless(value) as Json;
  const words = typeof formatter === "string" ? { formatter: withoutTags(formatter) } : {};
  return { confine: true, ...rest, ...words, renderMode: "richText" };
}

function withoutTags(text: string): string {
  return text.replace(/<br\s*\/?>/gi, "\n").replace(/<\/?[a-z][^>]*>/gi, "");
}
