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

test("curves with colours of their own tell runs by dashes", () => {
  const color = { encoding: { color: { field: "class" } } };
  const spec = overlaid(["a", "b"].map(id => ({ run: run(id), spec: curve([], color) })));
  expect(spec?.encoding).toMatchObject({ color: { field: "class" }, strokeDash: { field: "trackbook run" } });
});

test("layers with data of their own stay as they are", () => {
  const diagonal = { data: { values: [{ x: 0 }] }, mark: "rule" };
  const layered = { mark: undefined, layer: [{ mark: "line" }, diagonal] };
  const spec = overlaid(["a", "b"].map(id => ({ run: run(id), spec: curve([], layered) })));
  const [line, other] = (spec as { layer: unknown }).layer as Record<string, Record<string, unknown>>[];
  expect(other).toEqual(diagonal);
  expect(line.encoding).toMatchObject({ x: { field: "fpr" }, color: { field: "trackbook run" } });
});

test.each([
  ["a single run", [curve([])]],
  ["another form", [curve([]), curve([], { mark: "area" })]],
  ["tiles", [curve([], { mark: "rect" }), curve([], { mark: "rect" })]],
  ["data by address", [curve([], { data: { url: "x.csv" } }), curve([], { data: { url: "x.csv" } })]],
])("%s is not overlaid", (_, specs) => {
  expect(overlaid(specs.map((spec, i) => ({ run: run(String(i)), spec })))).toBeNull();
});
