import type { HostModel } from "./host-model.ts";

const LATE = 700; // ms without an answer until the reader is told

/** ms without an answer until the kernel is called busy, for questions that the reader does not wait for. */
export const BUSY_AFTER = 1500;

export interface Answer {
  content: Record<string, unknown>;
  buffers: readonly DataView[];
}

/** The kernel refused to answer, or there is no kernel. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** Sends questions to the kernel. It answers at once, when its cell ends, or, behind a saved page, never. */
export class Requests {
  #model: HostModel;
  #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (why: NoAnswer) => void }>();

  constructor(model: HostModel, signal: AbortSignal) {
    this.#model = model;
    const hear = (content: unknown, buffers: unknown) => this.#hear(content, buffers);
    model.on("msg:custom", hear);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", hear);
      for (const { reject } of this.#waiting.values()) reject(new NoAnswer("The board was closed."));
      this.#waiting.clear();
    });
  }

  /** Return the address of a run's own page; undefined where runs have none. */
  runPage(id: string): string | undefined {
    return this.#model.runPage?.(id);
  }

  /** Whether there is a kernel to ask. */
  get possible(): boolean {
    return this.#model.send !== undefined;
  }

  /** Why no run can be changed here; empty where there is a kernel that changes runs. */
  get refusal(): string {
    return this.possible ? (this.#model.readOnly ?? "") : "Requires a kernel";
  }

  /**
   * Ask the kernel. Rejects with `NoAnswer` when it refuses, or when there is none. `onLate` is called once if no
   * answer has arrived after `patience` ms. Several views share a model, so ids are random.
   */
  ask(
    question: string,
    fields: Record<string, unknown> = {},
    onLate?: () => void,
    patience = LATE,
  ): Promise<Answer> {
    if (!this.#model.send) return Promise.reject(new NoAnswer("This page has no kernel."));
    const id = Math.floor(Math.random() * 2 ** 48);
    const answer = new Promise<Answer>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    try {
      this.#model.send({ ...fields, ask: question, id });
    } catch {
      this.#waiting.delete(id); // a widget whose channel is closed cannot send
      return Promise.reject(new NoAnswer("The kernel of this board has stopped."));
    }
    const late = onLate && setTimeout(onLate, patience);
    return answer.finally(() => clearTimeout(late));
  }

  #hear(content: unknown, buffers: unknown) {
    const { answers, ...rest } = (content ?? {}) as { answers?: number } & Record<string, unknown>;
    const waiting = answers === undefined ? undefined : this.#waiting.get(answers);
    if (!waiting) return;
    this.#waiting.delete(answers as number);
    if (typeof rest.error === "string") waiting.reject(new NoAnswer(rest.error));
    else waiting.resolve({ content: rest, buffers: (buffers ?? []) as DataView[] });
  }
}
