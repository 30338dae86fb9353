import type { HostModel } from "../frames/host-model.ts";

const FIRST_WAIT = 500; // ms until the first attempt to connect again
const LONGEST_WAIT = 10_000;
const RESTART = 30_000; // ms in which a server that is away is expected back, as in `src/trackbook/remote/attempts.py`
const RESTART_WAIT = 1_000; // meanwhile, in place of `LONGEST_WAIT`
const LOST = "The connection to the server was lost.";
const READ_ONLY = // as in `src/trackbook/server/site.py`
  "This page only shows runs: start “trackbook show” with --write, or open “trackbook serve” by a token made with --write, to change them";

export type Connection = "connecting" | "connected" | "lost" | "refused";

interface Part {
  trait?: string;
  value?: unknown;
  answer?: Record<string, unknown>;
  buffers: [string, number][];
}

/**
 * A model whose kernel is a server, over a WebSocket. It connects again by itself; what the page has set goes on to the
 * server that answers then. `src/trackbook/server/wire.py` describes the messages.
 *
 * Beside the traits of a board it has `connection` (`Connection`), and `refused` ({code, reason}) of a server that has
 * nothing to show.
 */
export class RemoteModel implements HostModel {
  /** Nothing: the page says it in its own place. */
  readonly silence = "";
  runPage?: (id: string) => string;
  #address: string;
  #traits = new Map<string, unknown>([["connection", "connecting"]]);
  #listeners = new Map<string, Set<(...of: unknown[]) => void>>();
  #changed = new Set<string>();
  #said: Record<string, unknown> = {}; // what the server was told, for the next one
  #asked = new Set<unknown>();
  #socket: WebSocket | null = null;
  #wait = FIRST_WAIT;
  #lostAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #signal: AbortSignal;

  constructor(address: string, signal: AbortSignal) {
    [this.#address, this.#signal] = [address, signal];
    const again = () => document.visibilityState === "visible" && this.#socket === null && this.#connect();
    window.addEventListener("online", again, { signal });
    document.addEventListener("visibilitychange", again, { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#socket?.close();
    });
    this.#connect();
  }

  importFile(name: string): Promise<unknown> {
    return import(new URL(`static/${name}`, document.baseURI).href);
  }

  get readOnly(): string {
    return this.#traits.get("may_write") === true ? "" : READ_ONLY;
  }

  get(name: string): unknown {
    return this.#traits.get(name);
  }

  set(name: string, value: unknown) {
    this.#changed.add(name);
    this.#put(name, value);
  }

  save_changes() {
    const changed = Object.fromEntries([...this.#changed].map(name => [name, this.#traits.get(name)]));
    this.#changed.clear();
    Object.assign(this.#said, changed);
    this.#tell({ set: changed });
  }

  on(event: string, listener: (...of: unknown[]) => void) {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event: string, listener: (...of: unknown[]) => void) {
    this.#listeners.get(event)?.delete(listener);
  }

  send(content: unknown) {
    const { id } = content as { id?: unknown };
    if (id !== undefined) this.#asked.add(id);
    if (!this.#tell(content)) queueMicrotask(() => this.#fail(id));
  }

  #tell(content: unknown): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(content));
    return true;
  }

  #put(name: string, value: unknown) {
    if (this.#traits.get(name) === value) return;
    this.#traits.set(name, value);
    this.#emit(`change:${name}`);
  }

  #emit(event: string, ...of: unknown[]) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...of);
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#signal.aborted || this.#traits.get("connection") === "refused") return;
    const socket = new WebSocket(this.#address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.#lostAt = undefined;
      if (Object.keys(this.#said).length) this.#tell({ set: this.#said });
    };
    socket.onmessage = ({ data }) => data instanceof ArrayBuffer && this.#hear(data);
    socket.onclose = () => this.#socket === socket && this.#lose();
  }

  #lose() {
    this.#socket = null;
    for (const id of this.#asked) this.#fail(id);
    if (this.#signal.aborted || this.#traits.get("connection") === "refused") return;
    this.#put("connection", "lost");
    this.#timer = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 2));
    this.#lostAt ??= performance.now();
    const isRestarting = performance.now() - this.#lostAt < RESTART;
    this.#wait = Math.min(2 * this.#wait, isRestarting ? RESTART_WAIT : LONGEST_WAIT);
  }

  #fail(id: unknown) {
    if (this.#asked.delete(id)) this.#emit("msg:custom", { answers: id, error: LOST }, []);
  }

  /** Set all traits of a message before anybody is told: a delta belongs to the keyframe beside it. */
  #hear(message: ArrayBuffer) {
    const parts = [...readParts(message)];
    const changed = parts.filter(({ part: { trait } }) => trait !== undefined);
    for (const { part, buffers } of changed)
      this.#traits.set(part.trait as string, withBuffers(part, buffers));
    if (changed.length && this.#traits.get("refused") === undefined) this.#put("connection", "connected");
    for (const { part } of changed) this.#emit(`change:${part.trait}`);
    if (this.#traits.get("refused") !== undefined) this.#put("connection", "refused");
    for (const { part, buffers } of parts) {
      if (!part.answer) continue;
      this.#asked.delete(part.answer.answers);
      this.#emit("msg:custom", part.answer, buffers);
    }
  }
}

function* readParts(message: ArrayBuffer): Generator<{ part: Part; buffers: DataView[] }> {
  const lengths = new DataView(message);
  for (let at = 0; at < message.byteLength; ) {
    const [text, data] = [lengths.getUint32(at, true), lengths.getUint32(at + 4, true)];
    at += 8;
    const part = JSON.parse(new TextDecoder().decode(new Uint8Array(message, at, text))) as Part;
    at += text;
    let from = at;
    const buffers = part.buffers.map(([, bytes]) => {
      const buffer = new DataView(message, from, bytes);
      from += Math.ceil(bytes / 8) * 8;
      return buffer;
    });
    yield { part, buffers };
    at += data;
  }
}

function withBuffers({ value, buffers: places }: Part, buffers: readonly DataView[]): unknown {
  if (!places.length) return value;
  return { ...(value as object), ...Object.fromEntries(places.map(([key], i) => [key, buffers[i]])) };
}
