import { h, setText } from "../ui/dom.ts";
import { formatDuration } from "../ui/format.ts";
import {
  clearImage,
  firstFrame,
  formatBytes,
  icon,
  isVideo,
  MOST_UNASKED,
  nameOf,
  problemNote,
  runLabel,
  showBlob,
  stepWords,
} from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem, RunLook } from "./media-types.ts";
import { drawOverlays, hasOverlays, type OverlaySettings } from "./overlays.ts";

const THUMBNAIL = 256; // px of the longer side
const MOST_FOR_FRAME = 4 * 2 ** 20; // bytes of a video that is loaded for its first frame
const SHARP_AFTER = 150; // ms in a place until the whole image is loaded: scrolling past needs only thumbnails

export interface TileLook {
  /** Size of the picture in px. */
  width: number;
  height: number;
  runs: readonly RunLook[];
  /** What stands under the picture beside its caption. */
  names: { run: boolean; step: boolean };
  /** The step that the panel says, which other images tell theirs beside. */
  at: number;
}

/** An image or a video in a gallery: its thumbnail, and for an image in a large place the image itself. */
export class MediaTile {
  readonly element = h("button", { type: "button", class: "tb-media-tile", tabindex: "-1" });
  #image = h("img", { class: "tb-media-image", alt: "", decoding: "async", draggable: "false" });
  #frame = h("div", { class: "tb-media-frame" }, this.#image);
  #picture = h("div", { class: "tb-media-picture" }, this.#frame);
  #caption = h("div", { class: "tb-media-caption" });
  #store: MediaStore;
  #settings: OverlaySettings;
  #item: MediaItem | null = null;
  #look: TileLook | null = null;
  #loading = new AbortController();

  constructor(store: MediaStore, settings: OverlaySettings) {
    [this.#store, this.#settings] = [store, settings];
    this.element.append(this.#picture, this.#caption);
  }

  get item(): MediaItem | null {
    return this.#item;
  }

  update(item: MediaItem | null, look: TileLook) {
    const before = this.#item;
    if (item === before && this.#look && sameLook(look, this.#look)) return;
    [this.#item, this.#look] = [item, look];
    this.#picture.style.height = `${look.height}px`;
    this.element.classList.toggle("tb-media-none", !item);
    this.element.disabled = !item;
    if (!item) return this.#clear();
    this.#name(item, look);
    this.#fit();
    if (before?.file !== item.file || before.kind !== item.kind) this.#load(item);
    else this.showOverlays();
  }

  /** Stop loading: the tile leaves the page. */
  destroy() {
    this.#loading.abort();
  }

  showOverlays() {
    const [item, look] = [this.#item, this.#look];
    this.#frame.querySelector(".tb-media-overlay")?.remove();
    if (item && look && hasOverlays(item))
      this.#frame.append(
        drawOverlays(item, this.#settings, this.#frame.clientWidth || look.width, this.#store),
      );
  }

  #clear() {
    this.#loading.abort();
    clearImage(this.#image);
    this.#caption.replaceChildren();
    this.#frame.querySelector(".tb-media-overlay")?.remove();
  }

  #name(item: MediaItem, { runs, names, at }: TileLook) {
    const run = runs.find(({ id }) => id === item.run);
    const name = nameOf(item, runs);
    this.element.setAttribute("aria-label", name);
    this.element.title = item.caption ? name : "";
    const parts: HTMLElement[] = [];
    if (names.run && run) parts.push(runLabel(run));
    if (item.caption) parts.push(h("span", { class: "tb-media-words" }, item.caption));
    if (names.step || (names.run && item.step !== at)) parts.push(stepWords(item.step));
    this.#caption.replaceChildren(...parts);
    this.#caption.hidden = !parts.length;
    this.#picture.querySelector(".tb-media-badge")?.remove();
    if (isVideo(item)) this.#picture.append(videoBadge(item));
  }

  /** Give the frame the place of the image within the picture, so that overlays lie on it. */
  #fit() {
    const { width: w, height: t } = this.#item?.about ?? {};
    const [own, high] = [w || this.#image.naturalWidth, t || this.#image.naturalHeight];
    const { width, height } = this.#look as TileLook;
    if (!own || !high) return;
    const scale = Math.min(width / own, height / high);
    this.#frame.style.width = `${Math.round(own * scale)}px`;
    this.#frame.style.height = `${Math.round(high * scale)}px`;
    this.#frame.style.aspectRatio = `${own} / ${high}`;
    this.#image.classList.toggle("tb-media-pixels", scale >= 2);
  }

  #load(item: MediaItem) {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#settings.learn(item);
    this.#picture.querySelector(".tb-media-problem")?.remove();
    this.#show(item, signal).catch(error => {
      if (signal.aborted) return;
      clearImage(this.#image);
      this.#picture.append(problemNote(error));
    });
  }

  async #show(item: MediaItem, signal: AbortSignal) {
    const file = item.file as string;
    const thumbnail = await this.#store.thumbnail(file, signal);
    if (signal.aborted) return;
    if (thumbnail) await this.#put(thumbnail, signal);
    else if (isVideo(item)) return this.#put(await this.#frameOf(item), signal);
    const isSharp = thumbnail && !this.#needsMore(item);
    if (isVideo(item) || isSharp || signal.aborted) return;
    if (item.size > MOST_UNASKED) {
      if (!thumbnail) throw new Error(`${formatBytes(item.size)}: open it to load it`);
      return;
    }
    if (thumbnail) await new Promise(resolve => setTimeout(resolve, SHARP_AFTER));
    if (signal.aborted) return;
    const whole = await this.#store.file(file);
    if (!signal.aborted) await this.#put(whole, signal);
  }

  /** Return the first frame of a small video whose kernel makes no thumbnails of videos; null of others. */
  async #frameOf(item: MediaItem): Promise<Blob | null> {
    return item.size > MOST_FOR_FRAME ? null : firstFrame(await this.#store.file(item.file as string));
  }

  #needsMore({ about: { width = Infinity, height = Infinity } }: MediaItem): boolean {
    const { width: placed, height: high } = this.#look as TileLook;
    const place = Math.max(placed, high) * devicePixelRatio;
    return place > THUMBNAIL * 1.25 && Math.max(width, height) > THUMBNAIL;
  }

  async #put(blob: Blob | null, signal: AbortSignal) {
    if (blob) await showBlob(this.#image, blob);
    else clearImage(this.#image);
    if (signal.aborted) return;
    this.#fit();
    this.showOverlays();
    this.element.dataset.shown = this.#item?.file ?? "";
  }
}

/** A gallery that scrolls updates its tiles at every frame. */
function sameLook(a: TileLook, b: TileLook): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.runs === b.runs &&
    a.at === b.at &&
    a.names.run === b.names.run &&
    a.names.step === b.names.step
  );
}

function videoBadge({ about }: MediaItem): HTMLElement {
  const time = h("span");
  setText(time, about.duration === undefined ? "" : formatDuration(about.duration));
  return h("span", { class: "tb-media-badge" }, icon("play"), time);
}
