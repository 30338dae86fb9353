import { Board } from "../board/board.ts";
import type { HostModel } from "../frames/host-model.ts";

/** A widget's state as saved in a notebook: its traits, and its buffers by path. */
export interface SavedWidget {
  state: Record<string, unknown>;
  buffers?: readonly { path: readonly (string | number)[]; data: string; encoding: "base64" | "hex" }[];
}

const DISMISS_EVENT = "trackbook-dismiss";
const SAVED_PAGE = "tb-page";

/** Draw a board from saved state, without a kernel. Returns a function that removes it. */
export function mount(el: HTMLElement, saved: SavedWidget): () => void {
  const model = new SavedModel(saved);
  const ends = new AbortController();
  const session = (model.get("keyframe") as { header?: { session?: string } } | undefined)?.header?.session;
  const shown = [...document.querySelectorAll<HTMLElement>(".tb-board")];
  if (session && shown.some(board => board.dataset.session === session)) return () => {};
  new Board(el, model, { live: false, signal: ends.signal });
  el.addEventListener(DISMISS_EVENT, () => ends.abort(), { once: true });
  return () => ends.abort();
}

/** Remove the boards drawn from saved state once the live widget has started. */
export function replaceSavedPages(session: string) {
  for (const page of document.querySelectorAll<HTMLElement>(`.${SAVED_PAGE}`)) {
    if (page.dataset.trackbookSession !== session) continue;
    page.dispatchEvent(new Event(DISMISS_EVENT));
    page.remove();
  }
}

/** A model without a kernel: it notifies its views of changes and saves nothing. */
export class SavedModel extends EventTarget implements HostModel {
  #traits: Map<string, unknown>;

  constructor({ state, buffers = [] }: SavedWidget) {
    super();
    this.#traits = new Map(Object.entries(structuredClone(state)));
    for (const { path, data } of buffers) {
      const [trait, ...rest] = path.map(String);
      const last = rest.pop();
      if (last === undefined) continue;
      const parent = rest.reduce<unknown>(
        (node, key) => (node as Record<string, unknown>)?.[key],
        this.#traits.get(trait),
      );
      if (parent) (parent as Record<string, unknown>)[last] = decodeBase64(data);
    }
  }

  get(name: string): unknown {
    return this.#traits.get(name);
  }

  set(name: string, value: unknown) {
    if (this.#traits.get(name) === value) return;
    this.#traits.set(name, value);
    this.dispatchEvent(new Event(`change:${name}`));
  }

  save_changes() {}

  on(event: string, listener: () => void) {
    this.addEventListener(event, listener);
  }

  off(event: string, listener: () => void) {
    this.removeEventListener(event, listener);
  }
}

function decodeBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0)).buffer;
}
