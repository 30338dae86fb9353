import type { View } from "vega";
import type { Chart } from "../charts/chart.ts";
import { h } from "../ui/dom.ts";

/** Sizes of saved pictures: for a chat, and for the column of a paper, 3.5 inches with its labels. */
const LOOKS = {
  chat: { width: 640, height: 360, fontSize: 12, padding: 16, scale: 2 },
  paper: { width: 288, height: 180, fontSize: 9, padding: 5, scale: 4 },
};
export type PictureSize = keyof typeof LOOKS;

/** A chart that can be saved. */
export type Pictured = Pick<Chart, "metric" | "picture">;

async function pngOf(chart: Pictured, size: PictureSize): Promise<Blob> {
  const canvas = await withPicture(chart, size, view => view.toCanvas(LOOKS[size].scale));
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve));
  if (!blob) throw new Error("This picture is too large.");
  return blob;
}

export async function savePng(chart: Pictured, size: PictureSize): Promise<undefined> {
  download(await pngOf(chart, size), `${chart.metric}.png`);
}

/** Put the picture on the clipboard. Browsers allow it only at a click, so what is written is a promise. */
export async function copyPng(chart: Pictured, size: PictureSize): Promise<string> {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": pngOf(chart, size) })]);
  return "Copied.";
}

export async function saveSvg(chart: Pictured, size: PictureSize): Promise<undefined> {
  const svg = await withPicture(chart, size, view => view.toSVG());
  download(new Blob([svg], { type: "image/svg+xml" }), `${chart.metric}.svg`);
}

/** Render the chart as a separate picture, with title, legend, axis names and background. */
async function withPicture<T>(
  chart: Pictured,
  size: PictureSize,
  render: (view: View) => Promise<T>,
): Promise<T> {
  const view = await chart.picture(LOOKS[size]);
  try {
    return await render(view);
  } finally {
    view.finalize();
  }
}

export function download(blob: Blob, name: string) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(-80) }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
