import { expect, test } from "vitest";
import { harmless } from "../../src/viewers/echarts-option.ts";
import { themed } from "../../src/viewers/plotly-layout.ts";

const DARK = { dark: true, ground: "#111", text: "#eee", line: "#333", font: "sans-serif" };
const LIGHT = { ...DARK, dark: false, ground: "#fff" };

test("an option of ECharts keeps its data, and loses links, code and HTML", () => {
  const option = {
    title: { text: "<b>t</b>", link: "javascript:alert(1)", sublink: "https://evil.example" },
    tooltip: {
      trigger: "axis",
      renderMode: "html",
      formatter: "a<br/>b <img src=x onerror=alert(1)>{c} 1 < 2",
    },
    toolbox: { feature: { dataView: { lang: ["<img onerror=x>"] }, saveAsImage: {}, restore: {} } },
    yAxis: { axisLabel: { formatter: " function (x) { return x }" } },
    series: [
      {
        type: "graph",
        links: [{ source: "a", target: "b" }],
        data: [1, null, "functional"],
        tooltip: { renderMode: "html" },
      },
    ],
    options: [{ tooltip: [{ formatter: "<i>x</i>" }] }],
  };
  expect(harmless(option)).toEqual({
    title: { text: "<b>t</b>" },
    tooltip: { confine: true, trigger: "axis", renderMode: "richText", formatter: "a\nb {c} 1 < 2" },
    toolbox: { feature: { restore: {} } },
    yAxis: { axisLabel: {} },
    series: [
      {
        type: "graph",
        links: [{ source: "a", target: "b" }],
        data: [1, null, "functional"],
        tooltip: { confine: true, renderMode: "richText" },
      },
    ],
    options: [{ tooltip: [{ confine: true, formatter: "x", renderMode: "richText" }] }],
  });
});

test("a figure of Plotly fills its frame, and keeps what is its own", () => {
  const layout = { width: 900, height: 400, title: { text: "t" }, paper_bgcolor: "red", margin: { l: 1 } };
  const template = {
    data: { bar: [] },
    layout: { colorway: ["blue"], xaxis: { gridcolor: "white", ticks: "" } },
  };
  const shown = themed({ ...layout, template }, DARK);
  expect(shown).toMatchObject({
    autosize: true,
    paper_bgcolor: "red",
    margin: { l: 1 },
    title: { text: "t" },
  });
  expect(shown).not.toHaveProperty("width");
  expect(shown).not.toHaveProperty("height");
  expect(shown.template).toMatchObject({
    data: { bar: [] },
    layout: {
      colorway: ["blue"],
      paper_bgcolor: "#111",
      plot_bgcolor: "#111",
      font: { color: "#eee" },
      xaxis: { gridcolor: "#333", ticks: "" },
    },
  });
  const light = (themed({ template }, LIGHT).template as typeof template).layout;
  expect(light).toMatchObject({ paper_bgcolor: "#fff", xaxis: { gridcolor: "white" } });
  expect(light).not.toHaveProperty("plot_bgcolor");
});
