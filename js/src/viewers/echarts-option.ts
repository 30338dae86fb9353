/** Options of ECharts without what is no chart. */
type Json = Record<string, unknown>;

const LINKS = ["link", "sublink"];
const LEFT_OUT = ["dataView", "saveAsImage"]; // HTML, and what a frame refuses
const CODE = /^\s*function\b/; // of pyecharts: a file's code is not run

/** Remove links and code, and have all tooltips drawn as text: as HTML a formatter of the file would be markup here. */
export function harmless(value: unknown, key = ""): unknown {
  if (key === "tooltip") return withText(value);
  if (Array.isArray(value)) return value.map(each => harmless(each));
  if (typeof value !== "object" || value === null) return value;
  const leads = (name: string, each: unknown) =>
    typeof each === "string" && (LINKS.includes(name) || CODE.test(each));
  const kept = Object.entries(value).filter(([name, each]) => !LEFT_OUT.includes(name) && !leads(name, each));
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
