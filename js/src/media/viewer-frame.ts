/** Frames in which viewers draw charts and scenes of other libraries. */
import { h } from "../ui/dom.ts";
import type { DrawCall, FrameAnswer, Hello } from "../viewers/messages.ts";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:";
const STYLE = `html,body,#place{width:100%;height:100%;margin:0;overflow:hidden}
#place{position:relative;font-size:12px}#place:focus-visible{outline:2px solid #2f6fed;outline-offset:-2px}`;
const PATIENCE = 10_000; // ms for an answer of a frame that is loaded

/**
 * Return the page of a viewer's frame. Only `code` runs in it: neither handlers nor scripts that a file brings have the nonce,
 * and nothing is loaded. The policy of the page around it holds as well: servers and exported pages allow `code` by its hash.
 */
export function framePage(code: string, nonce: string): string {
  const policy = `${POLICY}; script-src 'nonce-${nonce}'`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<style>${STYLE}</style><div id="place" role="img" tabindex="0"></div><script nonce="${nonce}">${inScript(code)}</script>`;
}

/** Keep code within its script element. Viewers are built so that nothing changes: their hashes are those of this text. */
function inScript(code: string): string {
  return code.replace(/<(?=!--|\/?script)/gi, "\\x3c");
}

/** A frame without an origin that draws files, one at a time. A frame that is moved within its page loads again: `onAgain`. */
export class ViewerFrame {
  readonly element: HTMLIFrameElement;
  #onAgain: () => void;
  #waiting = new Map<number, { resolve: () => void; reject: (why: Error) => void }>();
  #enter: () => void = () => {};
  #fail: (why: Error) => void = () => {};
  #ready = new Promise<void>((resolve, reject) => {
    [this.#enter, this.#fail] = [resolve, reject];
  });
  #isReady = false;
  #ends = new AbortController();
  #calls = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(code: string, title: string, onAgain: () => void, signal: AbortSignal) {
    this.#onAgain = onAgain;
    const attributes = { sandbox: "allow-scripts", referrerpolicy: "no-referrer", class: "tb-media-viewer" };
    this.element = h("iframe", { ...attributes, title });
    this.element.style.visibility = "hidden";
    const nonce = [...crypto.getRandomValues(new Uint32Array(4))].map(each => each.toString(36)).join("");
    this.element.srcdoc = framePage(code, nonce);
    this.#ready.catch(() => {}); // `draw` says it
    const until = AbortSignal.any([signal, this.#ends.signal]);
    window.addEventListener("message", event => this.#hear(event), { signal: until });
    this.element.addEventListener("load", () => this.#greet(), { signal: until });
    until.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** Ask who is in the frame: its own page, or one to which its content has led it, or none that may run here. */
  #greet() {
    this.element.style.visibility = "hidden";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stop(), PATIENCE);
    this.#post({ hello: true });
  }

  #hear({ source, data }: MessageEvent) {
    if (!source || source !== this.element.contentWindow) return;
    const answer = data as FrameAnswer | null;
    if (answer?.viewer === "ready") {
      clearTimeout(this.#timer);
      this.element.style.visibility = "";
      for (const { resolve } of this.#waiting.values()) resolve();
      this.#waiting.clear();
      if (this.#isReady) this.#onAgain();
      this.#isReady = true;
      this.#enter();
    } else if (answer?.viewer === "drawn") this.#settle(answer);
  }

  #settle({ id, problem }: Extract<FrameAnswer, { viewer: "drawn" }>) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (problem === undefined) waiting?.resolve();
    else waiting?.reject(new Error(problem.slice(0, 300)));
  }

  #stop() {
    const why = new Error("this page does not let its viewer run");
    this.#fail(why);
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
    this.close();
  }

  /** Remove the frame from the page. */
  close() {
    this.#ends.abort();
    this.element.remove();
  }

  #post(message: DrawCall | Hello, move: Transferable[] = []) {
    this.element.contentWindow?.postMessage(message, "*", move);
  }

  /** Draw a file in place of the one before. Rejects with the reason in words. */
  async draw(call: Omit<DrawCall, "id">): Promise<void> {
    await this.#ready;
    const id = ++this.#calls;
    this.element.title = call.name;
    const drawn = new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#post({ ...call, id }, [call.data]);
    return drawn;
  }
}
