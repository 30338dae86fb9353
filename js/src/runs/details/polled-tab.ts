import { BUSY_AFTER, NoAnswer, type Requests } from "../../frames/requests.ts";
import { h, setText } from "../../ui/dom.ts";

const NO_KERNEL = "This is not saved in the notebook: it requires a kernel.";
const BUSY = "The kernel is busy: this appears when the cell ends.";

type AnswerContent = Record<string, unknown>;

/** A tab of a run's details that asks the kernel when it is opened, and polls while the run is active. */
export abstract class PolledTab {
  readonly element = h("div", { class: "tb-polled" });
  /** A text for a tab without content or news. */
  protected readonly status = h("div", { class: "tb-minor tb-polled-status", role: "status" });
  run = "";
  protected running = false;
  #requests: Requests;
  #interval: number;
  #open = false;
  #settled = false; // whether the last answer is final
  #waiting: object | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `every`: ms between two polls while the run is active. */
  constructor(requests: Requests, every: number, signal: AbortSignal) {
    [this.#requests, this.#interval] = [requests, every];
    signal.addEventListener("abort", () => this.update(this.run, false, false));
  }

  /** Return the question to ask next, and its fields besides the run. */
  protected abstract question(): [ask: string, fields?: AnswerContent];
  /** Show an answer. Returns true to ask again immediately. */
  protected abstract showAnswer(content: AnswerContent): boolean;
  /** Clear the content when another run is selected. */
  protected abstract clear(): void;

  /** `open`: whether the tab is visible. */
  update(run: string, running: boolean, open: boolean) {
    if (run !== this.run) {
      [this.run, this.#settled, this.#waiting] = [run, false, null];
      this.#stopTimer();
      this.showStatus("");
      this.clear();
    }
    if (running) this.#settled = false;
    [this.running, this.#open] = [running, open];
    if (!open) this.#stopTimer();
    else if (!this.#settled && !this.#waiting && this.#timer === undefined) void this.#poll();
  }

  protected showStatus(text: string) {
    setText(this.status, text);
    this.status.hidden = !text;
  }

  /**
   * Ask the kernel. Returns null if it does not answer, which the status explains, or if another run was selected
   * meanwhile.
   */
  protected async ask(question: string, fields: AnswerContent = {}): Promise<AnswerContent | null> {
    const { run } = this;
    if (!this.#requests.possible) return this.#showProblem(NO_KERNEL);
    const onLate = () => run === this.run && this.showStatus(BUSY);
    try {
      const { content } = await this.#requests.ask(question, { run, ...fields }, onLate, BUSY_AFTER);
      if (run !== this.run) return null;
      this.showStatus("");
      return content;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return run === this.run ? this.#showProblem(error.message) : null;
    }
  }

  #showProblem(why: string): null {
    this.showStatus(why);
    return null;
  }

  async #poll() {
    const [waiting, { running }] = [{}, this];
    this.#waiting = waiting;
    const content = await this.ask(...this.question());
    if (this.#waiting !== waiting) return;
    this.#waiting = null;
    const more = content !== null && this.showAnswer(content);
    this.#settled = !running && !more;
    if (this.#settled || !this.#open) return;
    const again = () => {
      this.#timer = undefined;
      if (!document.hidden) void this.#poll();
      else this.#timer = setTimeout(again, this.#interval);
    };
    this.#timer = setTimeout(again, more ? 0 : this.#interval);
  }

  #stopTimer() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
