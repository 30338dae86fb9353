import { parse, View } from "vega";
import { expect, test } from "vitest";
import { resizeView } from "../../src/charts/vega-box.ts";

const SPEC = {
  width: 300,
  height: 200,
  autosize: { type: "fit", contains: "padding", resize: true },
  scales: [{ name: "y", type: "linear", domain: [0, 1], range: "height" }],
  axes: [{ scale: "y", orient: "left", title: "y" }],
  title: { text: "a title above" },
};

test("a new size equal to the old inner size is applied", async () => {
  const view = await new View(parse(SPEC as never), { renderer: "none" }).runAsync();
  const inner = view.height();
  expect(inner).toBeLessThan(200);
  resizeView(view, 300, inner);
  await view.runAsync();
  expect(view.height()).toBeLessThan(inner);
});
