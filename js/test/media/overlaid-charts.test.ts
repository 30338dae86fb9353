import { expect, test } from "vitest";
import { overlaid } from "../../src/media/overlaid-charts.ts";

const run = (id: string) => ({ id, label: `run ${id}`, color: "#11223344", ink: "" });
const curve = (values: object[], more: object = {}) => ({
  mark: "line",
  encoding: { x: { field: "fpr" }, y: { field: "tpr" } },
  data: { name: `data-${values.length}` },
  datasets: { [`data-${values.length}`]: values },
  ...more,
});

test("curves of the same form are drawn in one chart, by run", () => {
  const spec = overlaid([
    { run: run("a"), spec: curve([{ fpr: 0 }]) },
    { run: run("b"), spec: curve([{ fpr: 0 }, { fpr: 1 }]) },
  ]) as Record<string, Record<string, Record<string, unknown>>>;
  expect(spec.data.values).toEqual([
    { fpr: 0, "trackbook run": "run a" },
    { fpr: 0, "trackbook run": "run b" },
    { fpr: 1, "trackbook run": "run b" },
  ]);
  expect(spec.encoding.color).toMatchObject({
    field: "trackbook run",
    scale: { domain: ["run a", "run b"], range: ["#112233", "#112233"] },
  });
  expect(spec.datasets).toBeUndefined();
});

test("of several runs a colour is the run, and classes have dashes with a legend", () => {
  const color = { field: "class", type: "nominal", title: null };
  const more = { encoding: { y: { field: "tpr" }, color } };
  const specs = ["a", "b"].map(id => ({ run: run(id), spec: curve([{ class: "0" }, { class: "1" }], more) }));
  expect(overlaid(specs)?.encoding).toMatchObject({
    color: { field: "trackbook run", scale: { domain: ["run a", "run b"] }, legend: null },
    strokeDash: { field: "class", type: "nominal", title: null, legend: { symbolType: "stroke" } },
    tooltip: [{ field: "trackbook run" }, { field: "class" }],
  });
});

test("classes that are too many for dashes are named in the tooltip", () => {
  const more = { encoding: { color: { field: "class", type: "nominal" } } };
  const values = Array.from({ length: 20 }, (_, i) => ({ class: i }));
  const specs = ["a", "b"].map(id => ({ run: run(id), spec: curve(values, more) }));
  const encoding = overlaid(specs)?.encoding as Record<string, unknown>;
  expect(encoding).toMatchObject({
    color: { field: "trackbook run" },
    detail: [{ field: "class" }],
    tooltip: [{ field: "trackbook run" }, { field: "class" }],
  });
  expect(encoding.strokeDash).toBeUndefined();
});

test("layers with data of their own stay as they are", () => {
  const diagonal = { data: { values: [{ x: 0 }] }, mark: "rule" };
  const layered = { mark: undefined, layer: [{ mark: "line" }, diagonal] };
  const spec = overlaid(["a", "b"].map(id => ({ run: run(id), spec: curve([], layered) })));
  const [line, other] = (spec as { layer: unknown }).layer as Record<string, Record<string, unknown>>[];
  expect(other).toEqual(diagonal);
  expect(line.encoding).toMatchObject({ x: { field: "fpr" }, color: { field: "trackbook run" } });
});

const colored = (mark: string, type: string) =>
  curve([{ c: 1 }], { mark, encoding: { color: { field: "c", type } } });
const quantities = [colored("line", "quantitative"), colored("line", "quantitative")];
const classes = [colored("area", "nominal"), colored("area", "nominal")];

test.each([
  ["a single run", [curve([])]],
  ["another form", [curve([]), curve([], { mark: "area" })]],
  ["tiles", [curve([], { mark: "rect" }), curve([], { mark: "rect" })]],
  ["a colour that is a quantity", quantities],
  ["classes of areas", classes],
  ["data by address", [curve([], { data: { url: "x.csv" } }), curve([], { data: { url: "x.csv" } })]],
])("%s is not overlaid", (_, specs) => {
  expect(overlaid(specs.map((spec, i) => ({ run: run(String(i)), spec })))).toBeNull();
});
