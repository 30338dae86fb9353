import { download } from "../interact/pictures.ts";
import { setName, shortName } from "../ui/cut-name.ts";
import { h, svg } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import css from "./media.css";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem, RunLook } from "./media-types.ts";
import { readTableFile, strictJson, tableCsv } from "./table-file.ts";

export const MOST_UNASKED = 8 * 2 ** 20; // bytes of an image that is loaded whole without a click
const SHORT = 14; // letters of a run's name in the heading
const MARK = "data-trackbook-media";

const ICONS = {
  grid: "M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h4v4h-4z",
  layers: "M8 2.5 14 6 8 9.5 2 6zM2.5 9.5 8 12.5l5.5-3",
  large: "M9.5 2.5h4v4M13.5 2.5l-4.5 4.5M6.5 13.5h-4v-4M2.5 13.5 7 9",
  smaller: "M3 8h10",
  larger: "M3 8h10M8 3v10",
  back: "M10 3 5 8l5 5",
  on: "m6 3 5 5-5 5",
  play: "M5 3v10l8-5z",
  pause: "M5.5 3v10M10.5 3v10",
  save: "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11",
  close: "m3.5 3.5 9 9M12.5 3.5l-9 9",
  newest: "m3 3 5 5-5 5M12.5 3v10",
  heat: "M2.5 2.5h11v11h-11zM2.5 8h11M8 2.5v11",
  sound: "M2.5 6v4M5.5 4v8M8.5 2.5v11M11.5 5v6M14 7v2",
};
export type IconName = keyof typeof ICONS;

export function icon(name: IconName): SVGElement {
  const made = svg("svg", { viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" });
  made.append(svg("path", { d: ICONS[name] }));
  made.setAttribute("class", "tb-media-icon");
  return made;
}

/** Create a button that shows an icon and says its name. */
export function iconButton(name: IconName, label: string): HTMLButtonElement {
  const attributes = { type: "button", class: "tb-media-button", "aria-label": label, title: label };
  return h("button", attributes, icon(name));
}

/** Add the style sheet of media once to the document, and to the shadow root around an element. */
export function adoptMediaStyle(element: Element) {
  const root = element.getRootNode();
  for (const place of [document.head, ...(root instanceof ShadowRoot ? [root] : [])]) {
    if (place.querySelector(`:scope > style[${MARK}]`)) continue;
    const style = h("style", { [MARK]: "" });
    style.textContent = css;
    place.append(style);
  }
}

/** Name a run with its colour, and with the step of its media where that is not the step that the panel says. */
export function runLabel({ label, color }: RunLook, step?: number | null): HTMLElement {
  const dot = h("span", { class: "tb-dot", "aria-hidden": "true" });
  dot.style.background = color;
  const name = h("span", { class: "tb-media-run-name" });
  setName(name, label);
  return h(
    "span",
    { class: "tb-media-run", title: label },
    dot,
    name,
    ...(step == null ? [] : [stepWords(step)]),
  );
}

export function stepWords(step: number): HTMLElement {
  return h("span", { class: "tb-media-step tb-minor tb-number" }, `step ${formatCount(step)}`);
}

/** The newest step of media that are shown together: that of the slider, which some run has logged. */
export function newestStep(items: readonly MediaItem[]): number {
  return items.reduce((newest, { step }) => Math.max(newest, step), Number.NEGATIVE_INFINITY);
}

/** Say which runs show an older step than the newest one; `all` of them, or in a few words. */
export function olderSteps(items: readonly MediaItem[], runs: readonly RunLook[], all = false): string {
  const newest = newestStep(items);
  const older = new Map(items.filter(({ step }) => step < newest).map(({ run, step }) => [run, step]));
  const told = runs
    .filter(({ id }) => older.has(id))
    .map(({ id, label }) => {
      const step = formatCount(older.get(id) as number);
      return `${all ? label : shortName(label, SHORT)}: step ${step}`;
    });
  return all || told.length < 2 ? told.join("\n") : `${told.length} runs at older steps`;
}

/** Show an image's bytes. The address is given back as soon as the image is read; the former image stays until then. */
export async function showBlob(image: HTMLImageElement, blob: Blob): Promise<void> {
  const address = await imageAddress(blob);
  await new Promise<void>((resolve, reject) => {
    const done = (act: () => void) => () => {
      image.onload = null;
      image.onerror = null;
      if (address.startsWith("blob:")) URL.revokeObjectURL(address);
      act();
    };
    stopReading(image);
    image.onload = done(resolve);
    image.onerror = done(() => reject(new Error("This image cannot be read.")));
    image.src = address;
  });
}

function stopReading(image: HTMLImageElement) {
  image.onload?.(new Event("abort")); // gives the address back
}

/** Show nothing, whatever an image was about to show. */
export function clearImage(image: HTMLImageElement) {
  stopReading(image);
  image.removeAttribute("src");
}

/** An SVG in a blob would run its scripts as this page if it is opened in a tab of its own; a data URL has no page's rights. */
async function imageAddress(blob: Blob): Promise<string> {
  if (!blob.type.includes("svg")) return URL.createObjectURL(blob);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:image/svg+xml;base64,${btoa(text)}`;
}

/** Whether an item needs a player; an animated GIF is shown as an image. */
export function isVideo({ kind, mime }: MediaItem): boolean {
  return kind === "video" && !mime.startsWith("image/");
}

/** Return the first frame of a video; null if the browser cannot play it. */
export async function firstFrame(blob: Blob): Promise<Blob | null> {
  const video = h("video", { muted: "", preload: "auto" });
  const address = URL.createObjectURL(blob);
  try {
    const isLoaded = await new Promise<boolean>(resolve => {
      video.onloadeddata = () => resolve(true);
      video.onerror = () => resolve(false);
      video.src = address;
    });
    if (!isLoaded) return null;
    const canvas = h("canvas", { width: String(video.videoWidth), height: String(video.videoHeight) });
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    return await new Promise(resolve => canvas.toBlob(resolve, "image/jpeg"));
  } finally {
    video.removeAttribute("src");
    URL.revokeObjectURL(address);
  }
}

export function formatBytes(size: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3));
  const value = size / 1000 ** at;
  return `${at && value < 100 ? value.toPrecision(2) : Math.round(value)} ${units[at]}`;
}

/** Describe an item for those who do not see it, and for its tooltip. */
export function nameOf(item: MediaItem, runs: readonly RunLook[]): string {
  const run = runs.find(({ id }) => id === item.run);
  const place = [...(runs.length > 1 && run ? [run.label] : []), `step ${item.step}`];
  return [item.caption || `${item.kind} ${item.item + 1}`, ...place].join(", ");
}

/** The name of a file that is saved. */
export function fileName(metric: string, { step, item, file, about }: MediaItem): string {
  const ending = file?.match(/\.[a-z0-9.]+$/i)?.[0] ?? "";
  return about.name ?? `${metric}-${step}-${item}${ending}`;
}

/** Save the file of an item; that of a table as JSON without bare NaN and infinities. */
export async function saveMedium(item: MediaItem, metric: string, store: MediaStore) {
  const blob = await store.file(item.file as string);
  const content = item.kind === "table" ? strictJson(await blob.text()) : blob;
  download(new Blob([content], { type: "application/octet-stream" }), fileName(metric, item));
}

/** Save a table as CSV. */
export async function saveCsv(item: MediaItem, metric: string, store: MediaStore) {
  const csv = tableCsv(readTableFile(await (await store.file(item.file as string)).text()));
  download(new Blob([csv], { type: "text/csv" }), fileName(metric, item).replace(/(\.json)?$/, ".csv"));
}

/** Say in place why something is not shown. */
export function problemNote(error: unknown): HTMLElement {
  return h("div", { class: "tb-media-problem", role: "note" }, (error as Error)?.message ?? String(error));
}
