import { type HostModel, isClosed, onTraitChange } from "./host-model.ts";
import { assemble, type Picture, VersionMismatch } from "./picture.ts";
import { decodeFrame, type Frame } from "./protocol.ts";

const ACKNOWLEDGE_EVERY = 250; // ms; the kernel only needs to know that a view is open

const COMPLETE_EVERY = 5000; // ms between two requests for omitted series

const KEYFRAME_TIMEOUT = 3000; // ms for the kernel to answer with a valid keyframe

/** Holds the picture of one model, assembled once for all its views. */
export class PictureStore extends EventTarget {
  picture: Picture | null = null;
  /** Why the newest frames cannot be shown. */
  problem: Error | null = null;
  /** The kernel's clock minus the browser's, in seconds, at the newest frame. */
  skew = 0;
  #model: HostModel;
  #frames: Record<string, { value: unknown; frame: Frame | null }> = {};
  #scheduled = false;
  #acknowledging = false;
  #askedForKeyframe = false;
  #lastRequest = { missing: 0, asked: Number.NEGATIVE_INFINITY };

  constructor(model: HostModel) {
    super();
    this.#model = model;
    onTraitChange(model, ["keyframe", "delta"], () => this.#schedule());
    this.#assemble();
  }

  subscribe(listener: () => void, signal: AbortSignal) {
    this.addEventListener("change", listener, { signal });
  }

  /** Assemble once per message: both traits may arrive in it, one after the other. */
  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#assemble();
      this.dispatchEvent(new Event("change"));
    });
  }

  #assemble() {
    const before = this.picture;
    try {
      this.picture = assemble(this.#frame("keyframe"), this.#frame("delta"), before);
      this.problem = null;
    } catch (error) {
      if (error instanceof VersionMismatch && this.#askForKeyframe(error)) return;
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (!this.picture || this.picture === before) return;
    this.skew = this.picture.now - Date.now() / 1000;
    this.#acknowledge();
    this.#askForMissing(this.picture.missing);
  }

  /**
   * Ask for omitted series. The final keyframe of a cell is small, for the notebook; a newly opened page asks for a
   * larger one.
   */
  #askForMissing(missing: number) {
    const { missing: before, asked } = this.#lastRequest;
    const ask = missing > before && Date.now() - asked >= COMPLETE_EVERY;
    if (ask) this.#model.send?.({ ask: "keyframe" });
    if (ask || missing < before) this.#lastRequest = { missing, asked: ask ? Date.now() : asked };
  }

  #fail(problem: Error) {
    console.error("Trackbook:", problem);
    this.problem = problem;
  }

  /** Ask once whether a kernel can send a valid keyframe: the page may hold a frame of an earlier kernel. */
  #askForKeyframe(problem: Error): boolean {
    if (this.#askedForKeyframe || !this.#model.send) return false;
    this.#askedForKeyframe = true;
    const before = this.picture;
    this.#model.send({ ask: "keyframe" });
    setTimeout(() => {
      if (this.picture !== before || this.problem) return;
      this.#fail(problem);
      this.dispatchEvent(new Event("change"));
    }, KEYFRAME_TIMEOUT);
    return true;
  }

  /** Decode a trait only when it changed; most messages bring only a new delta. */
  #frame(trait: "keyframe" | "delta"): Frame | null {
    const value = this.#model.get(trait);
    if (this.#frames[trait]?.value !== value) this.#frames[trait] = { value, frame: decodeFrame(value) };
    return this.#frames[trait]?.frame ?? null;
  }

  #acknowledge() {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    setTimeout(() => {
      this.#acknowledging = false;
      if (isClosed(this.#model)) return;
      this.#model.set("seen", this.picture?.seq);
      this.#model.save_changes();
    }, ACKNOWLEDGE_EVERY);
  }
}

const stores = new WeakMap<HostModel, PictureStore>();

export function storeOf(model: HostModel): PictureStore {
  const store = stores.get(model) ?? new PictureStore(model);
  stores.set(model, store);
  return store;
}

/** Make `model` show the picture of `shared`, for hosts that pass each view its own model object. */
export function shareStore(model: HostModel, shared: HostModel) {
  stores.set(model, storeOf(shared));
}
