import type { RunHeader } from "../frames/protocol.ts";
import type { Requests } from "../frames/requests.ts";
import { h, setText } from "../ui/dom.ts";

/** Asks the kernel to stop a run, and shows the progress. */
export class StopButton {
  #button = h("button", { type: "button", class: "tb-stop-button" }, h("span", { class: "tb-stop-icon" }));
  #status = h("span", { class: "tb-stop-status", role: "status" });
  readonly element = h("span", { class: "tb-stop", hidden: "" }, this.#button, this.#status);
  #run: RunHeader | null = null;
  #messages = new Map<string, string>(); // by run

  constructor(requests: Requests, signal: AbortSignal) {
    this.#button.addEventListener("click", () => this.#run && void this.#ask(requests, this.#run.id), {
      signal,
    });
  }

  /** `run` is the run to stop; null hides the button. */
  update(run: RunHeader | null) {
    this.#run = run;
    this.element.hidden = !run;
    if (!run) return;
    const label = `Stop run ${run.name}`;
    this.#button.setAttribute("aria-label", label);
    this.#button.title = label;
    this.#show();
  }

  async #ask(requests: Requests, id: string) {
    const say = (text: string) => {
      this.#messages.set(id, text);
      this.#show();
    };
    say("Stopping…");
    try {
      await requests.ask("stop", { run: id }, () => say("Waiting for the cell to end"));
      say("Stopping…");
    } catch (error) {
      say((error as Error).message);
    }
  }

  #show() {
    const said = this.#messages.get(this.#run?.id ?? "") ?? "";
    setText(this.#status, said);
    this.#status.title = said;
  }
}
