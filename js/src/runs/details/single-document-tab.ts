import type { Requests } from "../../frames/requests.ts";
import { h } from "../../ui/dom.ts";
import { PolledTab } from "./polled-tab.ts";

interface DocumentKind {
  ask: string;
  label: string;
  /** ms between two polls while the run is active */
  every: number;
  /** Texts for an empty answer: while the run is active, and after it ended. */
  nothing: [yet: string, ever: string];
}

/**
 * A tab that the kernel sends as one document. It is redrawn only if it changed, because a redraw loses the
 * reader's selection.
 */
export abstract class SingleDocumentTab extends PolledTab {
  #kind: DocumentKind;
  #box = h("div", { class: "tb-scroll", tabindex: "0", role: "group" });
  #content = "";

  constructor(kind: DocumentKind, requests: Requests, signal: AbortSignal) {
    super(requests, kind.every, signal);
    this.#kind = kind;
    this.#box.setAttribute("aria-label", kind.label);
    this.element.append(this.status, this.#box);
    this.clear();
  }

  protected abstract cellElement(content: Record<string, unknown>): HTMLElement[];

  protected override clear() {
    this.#content = "";
    this.#box.replaceChildren();
    this.#box.hidden = true;
  }

  protected override question(): [string] {
    return [this.#kind.ask];
  }

  protected override showAnswer(content: Record<string, unknown>): boolean {
    const shown = JSON.stringify(content);
    if (shown !== this.#content) {
      this.#content = shown;
      this.#box.replaceChildren(...this.cellElement(content));
      this.#box.hidden = !this.#box.hasChildNodes();
    }
    const [yet, ever] = this.#kind.nothing;
    if (this.#box.hidden) this.showStatus(this.running ? yet : ever);
    return false;
  }
}
