import { type HostModel, onTraitChange } from "./host-model.ts";

const PATIENCE = 45_000; // ms; a kernel with a running run says something every 10 s, however busy its cell
const ASLEEP = 10_000; // ms between two checks, which are a second apart: the page slept, and heard nothing meanwhile
const GONE = ["dead", "terminating", "restarting", "autorestarting"];

/** JupyterLab's connection to a kernel, as far as it is used here. */
interface Kernel {
  statusChanged?: {
    connect(slot: (sender: unknown, status: string) => void): void;
    disconnect(slot: (sender: unknown, status: string) => void): void;
  };
}

/** Whether there is still a kernel behind a board: by what it says, and where the host knows better by that. */
export class Heartbeat {
  state: "heard" | "silent" | "gone" = "heard";
  #heard = performance.now();
  #checked = performance.now();
  #onChange: () => void;
  #listens: boolean;

  /** `model` is null where there was no kernel to begin with. */
  constructor(model: HostModel | null, onChange: () => void, signal: AbortSignal) {
    this.#onChange = onChange;
    this.#listens = model !== null;
    if (!model) return;
    const hear = () => {
      this.#heard = performance.now();
      this.#become(this.state === "silent" ? "heard" : this.state);
    };
    onTraitChange(model, ["keyframe", "delta", "beat"], hear, signal);
    const kernel = model.widget_manager?.kernel as Kernel | undefined;
    const note = (_: unknown, status: string) => GONE.includes(status) && this.#become("gone");
    kernel?.statusChanged?.connect(note);
    signal.addEventListener("abort", () => kernel?.statusChanged?.disconnect(note));
  }

  /** To be called every second; `running`: whether the kernel has reason to say something. */
  check(running: boolean) {
    const now = performance.now();
    if (!running || now - this.#checked > ASLEEP) this.#heard = now;
    this.#checked = now;
    if (this.#listens && this.state === "heard" && now - this.#heard > PATIENCE) this.#become("silent");
  }

  /** What to tell the reader of a board with a running run, if anything. */
  notice(project: string): string | undefined {
    if (this.state === "heard") return undefined;
    const what = this.state === "gone" ? "The kernel of this board is gone." : "The kernel does not answer.";
    return `${what} The charts stay as they are; tb.board(${JSON.stringify(project)}) in a new cell shows what was logged.`;
  }

  #become(state: Heartbeat["state"]) {
    if (this.state === state) return;
    this.state = state;
    this.#onChange();
  }
}
