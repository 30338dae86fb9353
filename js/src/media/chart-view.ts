import { h } from "../ui/dom.ts";
import type { OpenItem } from "./lightbox.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaContext, MediaItem, MediaScene, RunLook } from "./media-types.ts";
import { overlaid } from "./overlaid-charts.ts";
import { StackView } from "./stack-view.ts";
import { VegaBlock } from "./vega-block.ts";

/** Charts of several runs: over each other where they are curves of the same form, else one after the other. */
export class ChartView {
  readonly element = h("div", { class: "tb-media-vega" });
  #block: VegaBlock;
  #stack: StackView;
  #key = "";
  #spec: Promise<Record<string, unknown> | null> = Promise.resolve(null);
  #store: MediaStore;
  #onChange: () => void;
  isOverlaid = false;

  /** `onChange` is called when the charts are, or no longer are, over each other. */
  constructor(
    context: MediaContext,
    store: MediaStore,
    open: OpenItem,
    onChange: () => void,
    signal: AbortSignal,
  ) {
    [this.#store, this.#onChange] = [store, onChange];
    this.#block = new VegaBlock(context, signal);
    this.#stack = new StackView(context, store, open, signal);
  }

  show(items: readonly MediaItem[], scene: MediaScene) {
    const runs = new Map(scene.runs.map(run => [run.id, run]));
    const key = JSON.stringify(items.map(({ run, file }) => [runs.get(run), file]));
    if (key !== this.#key) {
      this.#key = key;
      this.#spec = this.#load(items, runs);
    }
    const put = (spec: Record<string, unknown> | null) => {
      if (key !== this.#key) return;
      const shown = spec ? this.#block : this.#stack;
      if (this.element.firstElementChild !== shown.element) this.element.replaceChildren(shown.element);
      if (spec) this.#block.show(spec, [], scene);
      else this.#stack.show(items, scene);
      if (this.isOverlaid === (spec !== null)) return;
      this.isOverlaid = spec !== null;
      this.#onChange();
    };
    this.#spec.then(put, () => put(null)); // each chart of the stack says what is wrong with it
  }

  async #load(items: readonly MediaItem[], runs: ReadonlyMap<string, RunLook>) {
    const specs = await Promise.all(
      items.map(({ file }) => this.#store.json<Record<string, unknown>>(file as string)),
    );
    const charts = items.map((item, i) => ({ run: runs.get(item.run) as RunLook, spec: specs[i] }));
    return overlaid(charts);
  }
}
