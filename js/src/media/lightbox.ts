import { h, setText } from "../ui/dom.ts";
import { formatBytes, iconButton, isVideo, nameOf, problemNote, saveMedium, showBlob } from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem, RunLook } from "./media-types.ts";
import { OverlayMenu } from "./overlay-menu.ts";
import { drawOverlays, hasOverlays, type OverlaySettings } from "./overlays.ts";
import { VideoPlayer } from "./players.ts";
import { placeOfStep, StepSlider } from "./step-slider.ts";

const ZOOMS = [1, 2, 4, 8, 16];

/** Where an item that is shown large comes from. */
export interface ItemSource {
  /** Return the next or an earlier item; null if there is none. */
  step(by: number): MediaItem | null;
  /** Whether there may be a next or an earlier item. */
  has(by: number): boolean;
  /** The steps at which the item's run has logged, ascending; less than two where there is nothing to choose. */
  steps(item: MediaItem): readonly number[];
  /** Return the item that stands in the same place at another step; null if there is none. */
  turn(item: MediaItem, step: number): Promise<MediaItem | null>;
  closed(): void;
}

export type OpenItem = (item: MediaItem, source: ItemSource) => void;

/** A dialog with one image or video, as large as the window. Arrows go to the neighbours and other steps, + and − zoom. */
export class Lightbox {
  readonly element = h("dialog", { class: "tb-fullscreen tb-media-lightbox" });
  #stage = h("div", { class: "tb-media-stage", tabindex: "0", role: "group", "aria-label": "Image" });
  #words = h("div", { class: "tb-media-about", role: "status" });
  #back = iconButton("back", "Previous");
  #on = iconButton("on", "Next");
  #zoomOut = iconButton("smaller", "Zoom out");
  #zoomIn = iconButton("larger", "Zoom in");
  #save = iconButton("save", "Download");
  #close = iconButton("close", "Close");
  #menu: OverlayMenu;
  #slider: StepSlider;
  #source: ItemSource | null = null;
  #turns = 0;
  #item: MediaItem | null = null;
  #zoom = 0;
  #shown = new AbortController();
  #frame: HTMLElement | null = null;
  #store: MediaStore;
  #overlays: OverlaySettings;
  #runs: () => readonly RunLook[];
  #metric: string;

  constructor(
    metric: string,
    store: MediaStore,
    overlays: OverlaySettings,
    runs: () => readonly RunLook[],
    signal: AbortSignal,
  ) {
    [this.#metric, this.#store, this.#overlays, this.#runs] = [metric, store, overlays, runs];
    this.#menu = new OverlayMenu(overlays, signal);
    const bar = h(
      "div",
      { class: "tb-media-bar" },
      this.#back,
      this.#on,
      this.#words,
      this.#menu.button,
      this.#zoomOut,
      this.#zoomIn,
      this.#save,
      this.#close,
    );
    this.#slider = new StepSlider(step => void this.#turn(step ?? Number.POSITIVE_INFINITY), signal);
    this.element.append(this.#stage, bar, this.#menu.popover.panel);
    dragToScroll(this.#stage, signal);
    const go = (by: number) => {
      const item = this.#source?.step(by);
      if (item) this.#show(item);
    };
    const on = (element: HTMLElement, act: () => void) => element.addEventListener("click", act, { signal });
    on(this.#back, () => go(-1));
    on(this.#on, () => go(1));
    on(this.#zoomOut, () => this.#zoomBy(-1));
    on(this.#zoomIn, () => this.#zoomBy(1));
    on(this.#close, () => this.element.close());
    on(this.#save, () => this.#download());
    const onKey = (event: KeyboardEvent) => {
      if ((event.target as Element).closest("video, audio, input")) return;
      const acts: Record<string, () => void> = {
        ArrowLeft: () => go(-1),
        ArrowRight: () => go(1),
        ArrowUp: () => this.#turnBy(1),
        ArrowDown: () => this.#turnBy(-1),
        "+": () => this.#zoomBy(1),
        "=": () => this.#zoomBy(1),
        "-": () => this.#zoomBy(-1),
        "0": () => this.#zoomBy(-ZOOMS.length),
      };
      if (!Object.hasOwn(acts, event.key) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      acts[event.key]();
    };
    this.element.addEventListener("keydown", onKey, { signal });
    const outside = (event: Event) => event.target === this.element && this.element.close();
    this.element.addEventListener("click", outside, { signal });
    const closed = () => {
      this.#clear();
      const source = this.#source;
      this.#source = null;
      this.#slider.element.remove();
      this.#turns++;
      source?.closed();
    };
    this.element.addEventListener("close", closed, { signal });
    overlays.addEventListener("change", () => this.#showOverlays(), { signal });
    signal.addEventListener("abort", () => this.#clear());
  }

  open(item: MediaItem, source: ItemSource) {
    this.#source = source;
    this.#stage.after(this.#slider.element);
    if (!this.element.open) this.element.showModal();
    this.#show(item);
    this.#stage.focus({ preventScroll: true });
  }

  /** Show the same place at a step of the item's run, or at its newest one before. */
  async #turn(step: number) {
    const [item, source] = [this.#item, this.#source];
    if (!item || !source || source.steps(item)[placeOfStep(source.steps(item), step)] === item.step) return;
    const turn = ++this.#turns;
    const steps = source.steps(item);
    this.#slider.update(steps, placeOfStep(steps, step), false);
    try {
      const other = await source.turn(item, steps[placeOfStep(steps, step)]);
      if (turn === this.#turns && other) this.#show(other);
    } catch (error) {
      if (turn === this.#turns) setText(this.#words, (error as Error).message);
    }
  }

  #turnBy(by: number) {
    const steps = this.#item ? (this.#source?.steps(this.#item) ?? []) : [];
    const to = steps[placeOfStep(steps, this.#item?.step ?? 0) + by];
    if (to !== undefined) void this.#turn(to);
  }

  #clear() {
    this.#shown.abort();
    this.#stage.replaceChildren();
    this.#frame = null;
  }

  #show(item: MediaItem) {
    this.#clear();
    [this.#item, this.#zoom] = [item, 0];
    this.#shown = new AbortController();
    const { signal } = this.#shown;
    const { width, height, duration } = item.about;
    const name = nameOf(item, this.#runs());
    this.element.setAttribute("aria-label", name);
    const size = width && height ? `${width} × ${height}` : "";
    const time = duration === undefined ? "" : `${duration.toFixed(1)} s`;
    setText(this.#words, [name, size, time, formatBytes(item.size)].filter(Boolean).join(" · "));
    const plays = isVideo(item);
    this.#menu.button.hidden = !hasOverlays(item);
    this.#back.disabled = !this.#source?.has(-1);
    this.#on.disabled = !this.#source?.has(1);
    const steps = this.#source?.steps(item) ?? [];
    const at = placeOfStep(steps, item.step);
    this.#slider.update(steps, at, at === steps.length - 1);
    this.#zoomOut.hidden = plays;
    this.#zoomIn.hidden = plays;
    if (plays) {
      const player = new VideoPlayer(item, this.#store, signal, true);
      this.#stage.append(player.element);
      return;
    }
    this.#load(item, signal).catch(error => {
      if (!signal.aborted) this.#stage.replaceChildren(problemNote(error));
    });
  }

  async #load(item: MediaItem, signal: AbortSignal) {
    const image = h("img", { class: "tb-media-image", alt: nameOf(item, this.#runs()), draggable: "false" });
    const frame = h("div", { class: "tb-media-frame" }, image);
    const thumbnail = await this.#store.thumbnail(item.file as string, signal).catch(() => null);
    if (signal.aborted) return;
    this.#frame = frame;
    this.#stage.replaceChildren(frame);
    if (thumbnail) await showBlob(image, thumbnail);
    this.#fit();
    const whole = await this.#store.file(item.file as string);
    if (signal.aborted) return;
    await showBlob(image, whole);
    this.#fit();
    this.element.dataset.shown = item.file ?? "";
  }

  #zoomBy(by: number) {
    const zoom = Math.min(ZOOMS.length - 1, Math.max(0, this.#zoom + by));
    if (zoom === this.#zoom || !this.#frame) return;
    const { clientWidth, clientHeight } = this.#stage;
    const share = (ZOOMS[zoom] as number) / (ZOOMS[this.#zoom] as number);
    const [x, y] = [this.#stage.scrollLeft + clientWidth / 2, this.#stage.scrollTop + clientHeight / 2];
    this.#zoom = zoom;
    this.#fit();
    this.#stage.scrollTo(x * share - clientWidth / 2, y * share - clientHeight / 2);
  }

  #fit() {
    const [item, frame] = [this.#item, this.#frame];
    const image = frame?.querySelector("img");
    if (!item || !frame || !image) return;
    const [width, height] = [
      item.about.width || image.naturalWidth,
      item.about.height || image.naturalHeight,
    ];
    const { clientWidth, clientHeight } = this.#stage;
    if (!width || !height || !clientWidth) return;
    const scale = Math.min(clientWidth / width, clientHeight / height) * (ZOOMS[this.#zoom] as number);
    frame.style.width = `${Math.round(width * scale)}px`;
    frame.style.height = `${Math.round(height * scale)}px`;
    image.classList.toggle("tb-media-pixels", scale >= 2);
    this.#stage.classList.toggle("tb-media-grab", this.#zoom > 0);
    this.#zoomOut.disabled = this.#zoom === 0;
    this.#zoomIn.disabled = this.#zoom === ZOOMS.length - 1;
    this.#showOverlays();
  }

  #showOverlays() {
    const [item, frame] = [this.#item, this.#frame];
    frame?.querySelector(".tb-media-overlay")?.remove();
    if (item && frame && hasOverlays(item))
      frame.append(drawOverlays(item, this.#overlays, frame.clientWidth, this.#store));
  }

  #download() {
    if (!this.#item?.file) return;
    saveMedium(this.#item, this.#metric, this.#store).catch(error => setText(this.#words, error.message));
  }
}

/** Move what does not fit into an element by dragging it. */
function dragToScroll(element: HTMLElement, signal: AbortSignal) {
  let from: PointerEvent | null = null;
  const start = (event: PointerEvent) => {
    if (event.button !== 0 || event.pointerType === "touch" || (event.target as Element).closest("video"))
      return;
    from = event;
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    if (!from) return;
    element.scrollBy(from.clientX - event.clientX, from.clientY - event.clientY);
    from = event;
  };
  const end = () => {
    from = null;
  };
  element.addEventListener("pointerdown", start, { signal });
  element.addEventListener("pointermove", move, { signal });
  for (const ended of ["pointerup", "pointercancel"]) element.addEventListener(ended, end, { signal });
}
