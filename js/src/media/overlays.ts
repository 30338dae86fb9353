/** Boxes and masks over an image, which can be switched off by layer and by class. */
import { ownEntry } from "../metrics.ts";
import { h } from "../ui/dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { Box, ClassNames, MaskLayer, MediaItem } from "./media-types.ts";

const OPACITY = 0.5; // of a mask
const NARROW = 150; // px of an image below which boxes have no labels
// Okabe and Ito's colours, which people with colour vision deficiency tell apart, without black
const COLORS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#3d9be0", "#d55e00", "#cc79a7", "#8c8cff"];

/** What is switched off; shared by the images of a panel. */
export class OverlaySettings extends EventTarget {
  #off = new Set<string>();
  leastScore = 0;
  /** The classes seen so far, by layer. */
  readonly layers = new Map<string, Set<string>>();

  isOn(layer: string, label?: string): boolean {
    return !this.#off.has(layer) && (label === undefined || !this.#off.has(keyOf(layer, label)));
  }

  set(on: boolean, layer: string, label?: string) {
    const key = label === undefined ? layer : keyOf(layer, label);
    if (on) this.#off.delete(key);
    else this.#off.add(key);
    this.dispatchEvent(new Event("change"));
  }

  setLeastScore(score: number) {
    this.leastScore = score;
    this.dispatchEvent(new Event("change"));
  }

  /** Note the layers and classes of an image. */
  learn({ about }: MediaItem) {
    const learn = (layer: string, labels: readonly string[]) => {
      const known = this.layers.get(layer) ?? new Set();
      for (const label of labels) known.add(label);
      this.layers.set(layer, known);
    };
    for (const [layer, { items, labels }] of Object.entries(about.boxes ?? {}))
      learn(
        layer,
        items.map(box => labelOf(box, labels)),
      );
    for (const [layer, { labels }] of Object.entries(about.masks ?? {}))
      learn(layer, Object.values(labels ?? {}));
  }
}

const keyOf = (layer: string, label: string) => `${layer}\n${label}`;

/** The name of a box's class. */
function labelOf({ class: id }: Box, labels: ClassNames = {}): string {
  if (id === null || id === undefined) return "";
  return ownEntry(labels, String(id)) ?? String(id);
}

/** How sure the model is of a box; 1 if it does not say. */
function scoreOf({ scores = {} }: Box): number {
  const all = Object.values(scores);
  return all.length ? Math.max(...all) : 1;
}

export function hasOverlays({ about }: MediaItem): boolean {
  return Object.keys(about.boxes ?? {}).length > 0 || Object.keys(about.masks ?? {}).length > 0;
}

const places = new Map<string, number>();

/** Return the colour of a class: the same in all images of the page. */
export function classColor(label: string): string {
  const place = places.get(label) ?? places.size;
  places.set(label, place);
  return COLORS[place % COLORS.length];
}

/** Return the boxes and masks of an image for a place of `width` px. The place has the size of the image. */
export function drawOverlays(
  item: MediaItem,
  settings: OverlaySettings,
  width: number,
  store: MediaStore,
): HTMLElement {
  const element = h("div", { class: "tb-media-overlay", "aria-hidden": "true" });
  for (const [layer, mask] of Object.entries(item.about.masks ?? {})) {
    if (!settings.isOn(layer)) continue;
    const canvas = h("canvas", { class: "tb-media-mask" });
    element.append(canvas);
    const isOn = (label: string) => settings.isOn(layer, label);
    paintMask(canvas, mask, isOn, store).catch(error => console.warn("Trackbook: a mask:", error));
  }
  for (const [layer, { items, labels }] of Object.entries(item.about.boxes ?? {})) {
    if (!settings.isOn(layer)) continue;
    for (const box of items) {
      const label = labelOf(box, labels);
      if (settings.isOn(layer, label) && scoreOf(box) >= settings.leastScore)
        element.append(boxElement(box, label, width >= NARROW));
    }
  }
  return element;
}

function boxElement(box: Box, label: string, named: boolean): HTMLElement {
  const element = h("div", { class: "tb-media-box" });
  const color = classColor(label);
  for (const [name, share] of [
    ["left", box.x],
    ["top", box.y],
    ["width", box.width],
    ["height", box.height],
  ] as const)
    element.style[name] = `${100 * Number(share)}%`;
  element.style.borderColor = color;
  const [score] = Object.values(box.scores ?? {});
  const text = box.caption || [label, score === undefined ? "" : Number(score).toFixed(2)].join(" ").trim();
  if (named && text) {
    const words = h("span", { class: "tb-media-box-label" }, text);
    words.style.background = color;
    element.append(words);
  }
  return element;
}

async function paintMask(
  canvas: HTMLCanvasElement,
  { file, labels = {} }: MaskLayer,
  isOn: (label: string) => boolean,
  store: MediaStore,
) {
  const bitmap = await createImageBitmap(await store.file(file), { colorSpaceConversion: "none" });
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return;
  context.drawImage(bitmap, 0, 0);
  const image = context.getImageData(0, 0, bitmap.width, bitmap.height);
  paintClasses(image.data, labels, isOn);
  context.putImageData(image, 0, 0);
  bitmap.close();
}

/** Replace class ids, in the red channel, by colours; class 0 and classes that are off become transparent. */
export function paintClasses(
  pixels: Uint8ClampedArray,
  labels: Readonly<Record<string, string>>,
  isOn: (label: string) => boolean,
) {
  const colors = Array.from({ length: 256 }, (_, id) => {
    const label = ownEntry(labels, String(id)) ?? String(id);
    const unnamed = id === 0 && !Object.hasOwn(labels, 0); // the background
    return unnamed || !isOn(label) ? null : channelsOf(classColor(label));
  });
  for (let at = 0; at < pixels.length; at += 4) {
    const color = colors[pixels[at]];
    if (color) pixels.set(color, at);
    pixels[at + 3] = color ? 255 * OPACITY : 0;
  }
}

function channelsOf(color: string): number[] {
  return [1, 3, 5].map(at => Number.parseInt(color.slice(at, at + 2), 16));
}
