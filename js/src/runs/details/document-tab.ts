import type { Requests } from "../../frames/requests.ts";
import { h } from "../../ui/dom.ts";
import { PolledTab } from "./polled-tab.ts";

interface DocumentKind {
  ask: string;
  label: string;
  /** ms between two questions about a run that goes on. */
  every: number;
  /** What is said where there is nothing: of a run that goes on, and of one that has ended. */
  nothing: [yet: string, ever: string];
}

/** What the kernel tells in one piece. It is drawn again only when it changed: else what somebody selects would be gone. */
export abstract class DocumentTab extends PolledTab {
  #kind: DocumentKind;
  #box = h("div", { class: "tb-scroll", tabindex: "0", role: "group" });
  #shown = "";

  constructor(kind: DocumentKind, requests: Requests, signal: AbortSignal) {
    super(requests, kind.every, signal);
    this.#kind = kind;
    this.#box.setAttribute("aria-label", kind.label);
    this.element.append(this.status, this.#box);
    this.clear();
  }

  protected abstract cellElement(content: Record<string, unknown>): HTMLElement[];

  protected override clear() {
    this.#shown = "";
    this.#box.replaceChildren();
    this.#box.hidden = true;
  }

  protected override question(): [string] {
    return [this.#kind.ask];
  }

  protected override take(content: Record<string, unknown>): boolean {
    const shown = JSON.stringify(content);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#box.replaceChildren(...this.cellElement(content));
      this.#box.hidden = !this.#box.hasChildNodes();
    }
    const [yet, ever] = this.#kind.nothing;
    if (this.#box.hidden) this.showStatus(this.running ? yet : ever);
    return false;
  }
}
