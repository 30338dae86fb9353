// @vitest-environment happy-dom
import { expect, test } from "vitest";
import {
  classColor,
  drawOverlays,
  hasOverlays,
  OverlaySettings,
  paintClasses,
} from "../../src/media/overlays.ts";
import { medium } from "../media-fixtures.ts";

const item = medium({
  about: {
    boxes: {
      found: {
        items: [
          { x: 0.1, y: 0.2, width: 0.3, height: 0.4, class: 1, scores: { score: 0.9 } },
          { x: 0, y: 0, width: 1, height: 1, class: 2, scores: { score: 0.2 } },
          { x: 0, y: 0, width: 1, height: 1, caption: "<b>mine</b>" },
        ],
        labels: { 1: "cat", 2: "dog" },
      },
    },
  },
});

const boxes = (settings: OverlaySettings) =>
  [...drawOverlays(item, settings, 400, null as never).querySelectorAll<HTMLElement>(".tb-media-box")].map(
    box => [box.textContent, box.style.left],
  );

test("boxes stand at their shares of the image, with their classes", () => {
  expect(boxes(new OverlaySettings())).toEqual([
    ["cat 0.90", "10%"],
    ["dog 0.20", "0%"],
    ["<b>mine</b>", "0%"],
  ]);
  expect([hasOverlays(item), hasOverlays(medium())]).toEqual([true, false]);
});

test("classes, layers and unsure boxes can be switched off", () => {
  const settings = new OverlaySettings();
  let changes = 0;
  settings.addEventListener("change", () => changes++);
  settings.set(false, "found", "cat");
  expect(boxes(settings).map(([text]) => text)).toEqual(["dog 0.20", "<b>mine</b>"]);
  settings.setLeastScore(0.5);
  expect(boxes(settings).map(([text]) => text)).toEqual(["<b>mine</b>"]);
  settings.set(false, "found");
  expect(boxes(settings)).toEqual([]);
  settings.set(true, "found");
  expect(changes).toBe(4);
});

test("the classes of images are learnt for the menu", () => {
  const settings = new OverlaySettings();
  settings.learn(item);
  settings.learn(medium({ about: { masks: { ground: { file: "m.png", labels: { 1: "road" } } } } }));
  expect([...settings.layers].map(([layer, labels]) => [layer, [...labels]])).toEqual([
    ["found", ["cat", "dog", ""]],
    ["ground", ["road"]],
  ]);
});

test("a mask is painted in its classes' colours; the background and what is off stay clear", () => {
  const pixels = new Uint8ClampedArray([0, 0, 0, 255, 1, 1, 1, 255, 2, 2, 2, 255]);
  paintClasses(pixels, { 1: "road", 2: "tree" }, label => label !== "tree");
  const color = classColor("road");
  expect(`#${[...pixels.slice(4, 7)].map(channel => channel.toString(16).padStart(2, "0")).join("")}`).toBe(
    color,
  );
  expect([pixels[3], pixels[7], pixels[11]]).toEqual([0, 128, 0]);
});
