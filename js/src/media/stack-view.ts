import { h, setText } from "../ui/dom.ts";
import { withClassColors } from "./curve-classes.ts";
import { documentElement } from "./documents.ts";
import type { OpenItem } from "./lightbox.ts";
import {
  formatBytes,
  iconButton,
  newestStep,
  problemNote,
  runLabel,
  saveCsv,
  saveMedium,
  showBlob,
} from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaContext, MediaItem, MediaKind, MediaScene } from "./media-types.ts";
import { AudioPlayer, VideoPlayer } from "./players.ts";
import { TableView } from "./table-view.ts";
import { traceElement } from "./trace-view.ts";
import { VegaBlock } from "./vega-block.ts";
import { hasViewer, ViewerBlock } from "./viewer-block.ts";

const SHOWN = 12; // blocks until the reader wants more
const WORDS: Partial<Record<MediaKind, string>> = {
  object3d: "3D object",
  molecule: "Molecule",
  echarts: "ECharts chart",
  plotly: "Plotly figure",
  file: "File",
};

interface Block {
  key: string;
  item: MediaItem;
  element: HTMLElement;
  head: HTMLElement;
  saves: readonly HTMLElement[];
  vega: VegaBlock | null;
  spec: Record<string, unknown> | null;
  sound: AudioPlayer | null;
  viewer: ViewerBlock | null;
  table: TableView | null;
  ends: AbortController;
}

/** Media that stand one after the other: sounds, documents, tables, traces, charts and files, of all runs at a step. */
export class StackView {
  readonly element = h("div", { class: "tb-media-stack", role: "list" });
  #blocks: Block[] = [];
  #more = h("button", { type: "button", class: "tb-button", hidden: "" });
  #most = SHOWN;
  #items: readonly MediaItem[] = [];
  #scene: MediaScene | null = null;
  #context: MediaContext;
  #store: MediaStore;
  #open: OpenItem;
  #signal: AbortSignal;

  /** `open` shows a medium of a table large. */
  constructor(context: MediaContext, store: MediaStore, open: OpenItem, signal: AbortSignal) {
    [this.#context, this.#store, this.#open, this.#signal] = [context, store, open, signal];
    const more = () => {
      this.#most += SHOWN;
      if (this.#scene) this.show(this.#items, this.#scene);
    };
    this.#more.addEventListener("click", more, { signal });
    signal.addEventListener("abort", () => {
      for (const { ends } of this.#blocks) ends.abort();
    });
  }

  /** Show items; a block whose medium is the same stays as it is, with its scrolling, sorting and playing. */
  show(items: readonly MediaItem[], scene: MediaScene) {
    [this.#items, this.#scene] = [items, scene];
    const shown = items.slice(0, this.#most);
    const newest = newestStep(items);
    const before = new Map(this.#blocks.map(block => [block.key, block]));
    this.#blocks = shown.map(item => {
      const stays = hasViewer(item) || item.kind === "table"; // and shows another file
      const content = stays ? "" : [item.file, item.file ? "" : item.about];
      const key = JSON.stringify([item.run, item.item, item.kind, content]);
      const block = before.get(key) ?? this.#newBlock(key, item);
      before.delete(key);
      block.item = item;
      this.#name(block, scene, shown.length, newest);
      block.sound?.show();
      block.viewer?.show(item, scene);
      block.table?.show(item);
      if (block.vega && block.spec) block.vega.show(block.spec, [], scene);
      return block;
    });
    for (const { ends } of before.values()) ends.abort();
    this.element.dataset.count = String(shown.length);
    this.#more.hidden = items.length <= shown.length;
    setText(this.#more, `Show ${Math.min(SHOWN, items.length - shown.length)} more of ${items.length}`);
    const elements = [...this.#blocks.map(({ element }) => element), this.#more];
    if (
      elements.some((element, i) => this.element.children[i] !== element) ||
      this.element.children.length !== elements.length
    )
      this.element.replaceChildren(...elements);
  }

  #name({ head, saves, item }: Block, { runs }: MediaScene, count: number, newest: number) {
    const run = runs.find(({ id }) => id === item.run);
    const words = h("span", { class: "tb-media-words" }, item.caption ?? "");
    const shown = [
      ...(run && (runs.length > 1 || count > 1)
        ? [runLabel(run, item.step === newest ? null : item.step)]
        : []),
      ...(item.caption ? [words] : []),
    ];
    const [save] = saves;
    save.title = downloadWords(item);
    save.setAttribute("aria-label", save.title);
    head.replaceChildren(...shown, h("span", { class: "tb-media-saves" }, ...saves));
  }

  #newBlock(key: string, item: MediaItem): Block {
    const ends = new AbortController();
    const signal = AbortSignal.any([this.#signal, ends.signal]);
    const save = iconButton("save", downloadWords(item));
    save.hidden = !item.file;
    const saves = [save];
    if (item.kind === "table") {
      saves.push(iconButton("save", "Download as CSV"));
      for (const [i, format] of ["JSON", "CSV"].entries()) {
        saves[i].classList.add("tb-media-labelled");
        saves[i].append(format);
      }
    }
    const head = h("div", { class: "tb-media-block-head" });
    const body = h("div", { class: "tb-media-block-body" });
    const attributes = { class: "tb-media-block", role: "listitem", "data-kind": item.kind };
    const element = h("div", attributes, head, body);
    const block: Block = {
      key,
      item,
      element,
      head,
      saves,
      vega: null,
      spec: null,
      sound: null,
      viewer: null,
      table: null,
      ends,
    };
    for (const [button, save] of [saveMedium, saveCsv].entries()) {
      const download = () => {
        const metric = this.#scene?.entry.metric ?? "media";
        save(block.item, metric, this.#store).catch(error => body.append(problemNote(error)));
      };
      saves[button]?.addEventListener("click", download, { signal });
    }
    this.#fill(block, body, signal).then(
      () => {
        element.dataset.shown = item.file ?? item.kind;
      },
      error => !signal.aborted && body.replaceChildren(problemNote(error)),
    );
    return block;
  }

  async #fill(block: Block, body: HTMLElement, signal: AbortSignal) {
    const { item } = block;
    switch (item.kind) {
      case "image": {
        const image = h("img", { class: "tb-media-inline", alt: item.caption ?? "image" });
        body.append(image);
        return showBlob(image, await this.#store.file(item.file as string));
      }
      case "audio":
        block.sound = new AudioPlayer(item, this.#store, signal);
        return body.append(block.sound.element);
      case "video":
        return body.append(new VideoPlayer(item, this.#store, signal).element);
      case "text":
      case "markdown":
      case "html":
        return body.append(await documentElement(item, this.#store));
      case "table":
        block.table = new TableView(item, this.#store, this.#open, signal);
        return body.append(block.table.element);
      case "trace":
        return body.append(await traceElement(item, this.#store));
      case "chart": {
        const spec = withClassColors(await this.#store.json<Record<string, unknown>>(item.file as string));
        if (signal.aborted) return;
        block.spec = spec;
        block.vega = new VegaBlock(this.#context, signal);
        body.append(block.vega.element);
        block.vega.show(spec, [], this.#scene as MediaScene);
        return;
      }
      default:
        if (!hasViewer(item)) return body.append(cardOf(item));
        block.viewer = new ViewerBlock(item, this.#scene as MediaScene, this.#store, cardOf, signal);
        body.append(block.viewer.element);
        return block.viewer.drawn;
    }
  }
}

function downloadWords({ kind, size }: MediaItem): string {
  return `Download${kind === "table" ? " as JSON" : ""}${size ? `, ${formatBytes(size)}` : ""}`;
}

/** A medium that a board keeps, but cannot draw. */
function cardOf({ kind, about, file, size }: MediaItem): HTMLElement {
  const ending = file?.split(".").at(-1)?.toUpperCase() ?? "";
  return h(
    "div",
    { class: "tb-media-card" },
    h("span", { class: "tb-media-ending", "aria-hidden": "true" }, ending.slice(0, 5)),
    h(
      "span",
      {},
      h("div", { class: "tb-media-words" }, about.name ?? WORDS[kind] ?? kind),
      h("div", { class: "tb-minor" }, `${WORDS[kind] ?? kind} · ${formatBytes(size)}`),
    ),
  );
}
