import type { Chart } from "../charts/chart.ts";
import { NoAnswer, type Requests } from "../frames/requests.ts";

const INTERVAL = 5000; // ms between two questions about one chart

/** Asks the kernel how many values a chart leaves out, where buckets hold both kinds. */
export class ExactCounts {
  #requests: () => Requests | null;
  #asked = new Map<string, number>(); // when, by chart
  #waiting = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(requests: () => Requests | null, signal: AbortSignal) {
    this.#requests = requests;
    signal.addEventListener("abort", () => {
      for (const timer of this.#waiting.values()) clearTimeout(timer);
    });
  }

  watch(chart: Chart) {
    chart.onInexact = range => {
      const { metric } = chart;
      clearTimeout(this.#waiting.get(metric));
      const wait = Math.max(
        0,
        (this.#asked.get(metric) ?? Number.NEGATIVE_INFINITY) + INTERVAL - performance.now(),
      );
      this.#waiting.set(
        metric,
        setTimeout(() => void this.#ask(chart, range), wait),
      );
    };
  }

  async #ask(chart: Chart, { low, high, key }: { low: number; high: number; key: string }) {
    const requests = this.#requests();
    if (!requests?.possible) return;
    this.#asked.set(chart.metric, performance.now());
    try {
      let count = 0;
      for (const { metric, styles } of chart.sources) {
        const runs = styles.map(({ run }) => run.id);
        const { content } = await requests.ask("outside", { metric, runs, low, high }, () => {});
        count += content.count as number;
      }
      chart.setExact({ key, count });
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error; // the count stays "at least"
    }
  }
}
