const FRAME_BUDGET = 8; // ms of a 16 ms frame that drawing may use

interface Drawable {
  draw(): Promise<void>;
}

/** Draws the requested charts, few per animation frame. A hidden tab has no frames and draws nothing. */
export class DrawQueue {
  #waiting = new Set<Drawable>();
  #frame = 0;
  #busy = false;

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.#frame);
      this.#waiting.clear();
    });
  }

  add(chart: Drawable) {
    this.#waiting.add(chart);
    this.#next();
  }

  delete(chart: Drawable) {
    this.#waiting.delete(chart);
  }

  #next() {
    if (this.#busy || this.#frame || !this.#waiting.size) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      void this.#drawSome();
    });
  }

  async #drawSome() {
    const start = performance.now();
    this.#busy = true;
    for (const chart of this.#waiting) {
      this.#waiting.delete(chart);
      await chart.draw();
      if (performance.now() - start > FRAME_BUDGET) break;
    }
    this.#busy = false;
    this.#next();
  }
}
