import { type HostModel, onTraitChange } from "./host-model.ts";

const SILENCE_LIMIT = 45_000; // ms; a kernel with a running run sends something every 10 s, however busy its cell is
// ms between two checks, which are a second apart: a longer gap means that the page slept and received nothing
const SLEEP_GAP = 10_000;
const STOPPED_STATUSES = ["dead", "terminating", "restarting", "autorestarting"];

/** The part of JupyterLab's kernel connection that is used here. */
interface Kernel {
  statusChanged?: {
    connect(slot: (sender: unknown, status: string) => void): void;
    disconnect(slot: (sender: unknown, status: string) => void): void;
  };
}

/**
 * Detects whether a board's kernel is still alive, from its messages and, where the host offers it, its kernel
 * status.
 */
export class Heartbeat {
  state: "heard" | "silent" | "gone" = "heard";
  #lastMessage = performance.now();
  #lastCheck = performance.now();
  #onChange: () => void;
  #hasKernel: boolean;
  #silence: string | undefined;

  /** Pass null for `model` if there never was a kernel. */
  constructor(model: HostModel | null, onChange: () => void, signal: AbortSignal) {
    this.#onChange = onChange;
    this.#hasKernel = model !== null;
    this.#silence = model?.silence;
    if (!model) return;
    const hear = () => {
      this.#lastMessage = performance.now();
      this.#setState(this.state === "silent" ? "heard" : this.state);
    };
    onTraitChange(model, ["keyframe", "delta", "beat"], hear, signal);
    const lose = () => model.get("connection") === "lost" && this.#setState("silent");
    onTraitChange(model, ["connection"], lose, signal); // of a page of a server
    const kernel = model.widget_manager?.kernel as Kernel | undefined;
    const note = (_: unknown, status: string) => STOPPED_STATUSES.includes(status) && this.#setState("gone");
    kernel?.statusChanged?.connect(note);
    signal.addEventListener("abort", () => kernel?.statusChanged?.disconnect(note));
  }

  /** Call this every second. `running`: whether a run is active, so that the kernel should be sending. */
  check(running: boolean) {
    const now = performance.now();
    if (!running || now - this.#lastCheck > SLEEP_GAP) this.#lastMessage = now;
    this.#lastCheck = now;
    if (this.#hasKernel && this.state === "heard" && now - this.#lastMessage > SILENCE_LIMIT)
      this.#setState("silent");
  }

  /** A text instead of the state of a running run; empty while the kernel is alive. */
  get words(): string {
    return { heard: "", silent: "no answer", gone: "kernel gone" }[this.state];
  }

  /** Return a notice for a board with a running run, or undefined while the kernel is alive. */
  notice(project: string): string | undefined {
    if (this.state === "heard") return undefined;
    if (this.#silence !== undefined) return this.#silence || undefined;
    const what =
      this.state === "gone" ? "The kernel of this board has stopped." : "The kernel is not responding.";
    return `${what} The charts stay as they are; tb.board(${JSON.stringify(project)}) in a new cell shows what was logged.`;
  }

  #setState(state: Heartbeat["state"]) {
    if (this.state === state) return;
    this.state = state;
    this.#onChange();
  }
}
