import type { UserView } from "../charts/user-view.ts";
import { sameItems } from "../frames/columns.ts";
import { h, onResize } from "../ui/dom.ts";
import { problemNote } from "./media-dom.ts";
import type { MediaContext, MediaScene } from "./media-types.ts";

type Look = Pick<MediaScene, "theme" | "textLook">;

/** A Vega-Lite chart that fills its place. It is made anew for another spec or theme; else only its rows change. */
export class VegaBlock {
  readonly element = h("div", { class: "tb-media-vega" });
  #box = h("div", { class: "tb-canvas" });
  #view: UserView | null = null;
  #inputs: readonly unknown[] = [];
  #rows: readonly object[] = [];
  #size = "";
  #context: MediaContext;

  constructor(context: MediaContext, signal: AbortSignal) {
    this.#context = context;
    this.element.append(this.#box);
    onResize(this.element, () => void this.#draw(), signal);
    signal.addEventListener("abort", () => this.#view?.view.finalize());
  }

  show(spec: Record<string, unknown>, rows: readonly object[], { theme, textLook }: Look) {
    const inputs = [spec, theme, textLook];
    this.#rows = rows;
    if (!sameItems(inputs, this.#inputs)) {
      this.#inputs = inputs;
      this.#view?.view.finalize();
      this.#view = null;
      this.#size = "";
      this.#box.replaceChildren();
      try {
        const chart = { name: "", spec, metrics: [], key: "" };
        this.#view = this.#context.createView(chart, theme, textLook, this.#box);
      } catch (error) {
        return this.#fail(error);
      }
    }
    void this.#draw();
  }

  async #draw() {
    const { clientWidth, clientHeight } = this.element;
    const view = this.#view;
    if (!view || !clientWidth || !clientHeight) return;
    const size = `${clientWidth} ${clientHeight}`;
    if (size !== this.#size) view.resize(clientWidth, clientHeight);
    this.#size = size;
    try {
      await view.draw([...this.#rows] as Parameters<UserView["draw"]>[0]);
      this.element.dataset.shown = String(this.#rows.length);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown) {
    this.#box.replaceChildren(problemNote(error));
  }
}
