import type { Requests } from "../../frames/requests.ts";
import { h } from "../../ui/dom.ts";
import { Told } from "./polled-tab.ts";

interface Kind {
  ask: string;
  label: string;
  /** ms between two questions about a run that goes on. */
  every: number;
  /** What is said where there is nothing: of a run that goes on, and of one that has ended. */
  nothing: [yet: string, ever: string];
}

/** What the kernel tells in one piece. It is drawn again only when it changed: else what somebody selects would be gone. */
export abstract class Piece extends Told {
  #kind: Kind;
  #box = h("div", { class: "tb-scroll", tabindex: "0", role: "group" });
  #shown = "";

  constructor(kind: Kind, requests: Requests, signal: AbortSignal) {
    super(requests, kind.every, signal);
    this.#kind = kind;
    this.#box.setAttribute("aria-label", kind.label);
    this.element.append(this.said, this.#box);
    this.clear();
  }

  protected abstract draw(content: Record<string, unknown>): HTMLElement[];

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
      this.#box.replaceChildren(...this.draw(content));
      this.#box.hidden = !this.#box.hasChildNodes();
    }
    const [yet, ever] = this.#kind.nothing;
    if (this.#box.hidden) this.say(this.running ? yet : ever);
    return false;
  }
}
