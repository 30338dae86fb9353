import { BUSY_AFTER } from "../frames/requests.ts";
import { h } from "../ui/dom.ts";
import type { ViewerLook } from "../viewers/messages.ts";
import { formatBytes, MOST_UNASKED, nameOf, problemNote } from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem, MediaKind, MediaScene } from "./media-types.ts";
import { ViewerFrame } from "./viewer-frame.ts";

const VIEWERS: Partial<Record<MediaKind, string>> = {
  plotly: "viewer-plotly.js",
  echarts: "viewer-echarts.js",
  molecule: "viewer-molecule.js",
  object3d: "viewer-object3d.js",
};
const NEAR = "200px";

export function hasViewer({ kind }: MediaItem): boolean {
  return kind in VIEWERS;
}

/** What the reader sees of a file that is not drawn: what it is, and its download. */
type Card = (item: MediaItem) => HTMLElement;

/** A chart or scene of another library. Its viewer is loaded when it comes near the window, and draws what the item becomes. */
export class ViewerBlock {
  readonly element = h("div", { class: "tb-media-viewer-place" });
  /** Resolves when something was drawn, or when it was said why not. */
  readonly drawn: Promise<void>;
  #note = h("div", { class: "tb-media-note", role: "status" });
  #frame: ViewerFrame | null = null;
  #item: MediaItem;
  #scene: MediaScene;
  #shown = "";
  #isNear = false;
  #mayLoad = false;
  #isBusy = false;
  #settle: () => void = () => {};
  #store: MediaStore;
  #card: Card;
  #signal: AbortSignal;

  constructor(item: MediaItem, scene: MediaScene, store: MediaStore, card: Card, signal: AbortSignal) {
    [this.#item, this.#scene, this.#store] = [item, scene, store];
    [this.#card, this.#signal] = [card, signal];
    this.drawn = new Promise(resolve => {
      this.#settle = resolve;
    });
    const near = new IntersectionObserver(
      entries => {
        this.#isNear = entries.some(({ isIntersecting }) => isIntersecting);
        void this.#draw();
      },
      { rootMargin: NEAR },
    );
    near.observe(this.element);
    signal.addEventListener("abort", () => near.disconnect());
  }

  show(item: MediaItem, scene: MediaScene) {
    if (item.file !== this.#item.file) this.#mayLoad = false;
    [this.#item, this.#scene] = [item, scene];
    void this.#draw();
  }

  /** Draw the item, and then what it has become meanwhile. */
  async #draw() {
    const item = this.#item;
    const key = JSON.stringify([item.file, this.#scene.theme, this.#scene.textLook]);
    if (!this.#isNear || this.#isBusy || key === this.#shown || this.#signal.aborted) return;
    this.#shown = key;
    if (item.size > MOST_UNASKED && !this.#mayLoad) return this.#offer(item);
    this.#isBusy = true;
    try {
      await this.#put(item);
    } catch (error) {
      if (!this.#signal.aborted) this.#refuse(item, error);
    } finally {
      this.#isBusy = false;
      this.#settle();
    }
    await this.#draw();
  }

  async #put(item: MediaItem) {
    if (!this.#frame) this.#say("Loading…");
    const late = () => !this.#frame && this.#say("Waiting for the kernel…");
    const code = await this.#store.viewer(VIEWERS[item.kind] as string, late, BUSY_AFTER);
    const file = await this.#store.file(item.file as string);
    const data = await file.arrayBuffer();
    if (this.#signal.aborted) return;
    const name = nameOf(item, this.#scene.runs);
    if (!this.#frame) {
      const again = () => {
        this.#shown = "";
        void this.#draw();
      };
      this.#frame = new ViewerFrame(code, name, again, this.#signal);
      this.#note.textContent = "Drawing…";
      this.element.replaceChildren(this.#frame.element, this.#note);
    }
    const format = item.about.format ?? "json";
    await this.#frame.draw({ data, format, name, look: this.#look });
    this.#note.remove();
  }

  get #look(): ViewerLook {
    const { backgroundColor, color, borderTopColor } = getComputedStyle(this.element);
    const { theme, textLook } = this.#scene;
    const colors = { ground: backgroundColor, text: color, line: borderTopColor };
    return { ...colors, dark: theme === "dark", font: textLook.font };
  }

  #say(text: string) {
    this.#note.textContent = text;
    this.element.replaceChildren(this.#note);
  }

  #offer(item: MediaItem) {
    const load = h("button", { type: "button", class: "tb-button" }, `Show ${formatBytes(item.size)}`);
    load.addEventListener("click", () => {
      [this.#mayLoad, this.#shown] = [true, ""];
      void this.#draw();
    });
    this.#close();
    this.element.replaceChildren(this.#card(item), load);
    this.#settle();
  }

  #refuse(item: MediaItem, error: unknown) {
    const isAnswer = (error as Error).name === "NoAnswer"; // in whole sentences
    const why = (error as Error).message;
    const words = isAnswer ? why : `This file cannot be drawn: ${why}.`.replace(/([.!?])\.$/, "$1");
    this.#close();
    this.element.replaceChildren(this.#card(item), problemNote(words));
  }

  #close() {
    this.#frame?.close();
    this.#frame = null;
  }
}
