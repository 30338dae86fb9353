import type { UserView } from "../charts/user-view.ts";
import { VegaBox } from "../charts/vega-box.ts";
import { h, onResize } from "../ui/dom.ts";
import { problemNote } from "./media-dom.ts";
import type { MediaContext, MediaScene } from "./media-types.ts";

type Look = Pick<MediaScene, "theme" | "textLook">;

/** A Vega-Lite chart that fills its place. It is made anew for another spec or theme; else only its rows change. */
export class VegaBlock {
  readonly element = h("div", { class: "tb-media-vega" });
  #box = new VegaBox<UserView>();
  #view: UserView | null = null;
  #rows: readonly object[] = [];
  #context: MediaContext;

  constructor(context: MediaContext, signal: AbortSignal) {
    this.#context = context;
    this.element.append(this.#box.element);
    onResize(this.element, () => void this.#draw(), signal);
    signal.addEventListener("abort", () => this.#box.destroy());
  }

  show(spec: Record<string, unknown>, rows: readonly object[], { theme, textLook }: Look) {
    const chart = { name: "", spec, metrics: [], key: "" };
    const make = (place: HTMLElement) => this.#context.createView(chart, theme, textLook, place);
    this.#rows = rows;
    try {
      this.#view = this.#box.contentFor([spec, theme, textLook], make);
      void this.#draw();
    } catch (error) {
      this.#view = null;
      this.#fail(error);
    }
  }

  async #draw() {
    const { clientWidth, clientHeight } = this.element;
    const view = this.#view;
    if (!view || !clientWidth || !clientHeight) return;
    const size = `${clientWidth} ${clientHeight}`;
    if (size !== this.#box.size) view.resize(clientWidth, clientHeight);
    this.#box.size = size;
    try {
      await view.draw([...this.#rows] as Parameters<UserView["draw"]>[0]);
      this.element.dataset.shown = String(this.#rows.length);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown) {
    this.#box.element.replaceChildren(problemNote(error));
  }
}
