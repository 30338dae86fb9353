import type { Series } from "../frames/series.ts";
import { ownSmoothing } from "./noise.ts";
import type { ChartContent, DrawSettings } from "./plot.ts";

/** Which charts are smoothed by themselves: a chart whose noise is near the threshold does not change at each drawing. */
export class SmoothedCharts {
  #smoothed = new Set<string>();

  /** Return the settings of a chart, with its own smoothing as an amount. */
  settle(chart: string, { series, settings }: Pick<ChartContent, "series" | "settings">): DrawSettings {
    const { styles, hidden, smoothing } = settings;
    if (!smoothing.auto || smoothing.amount) return settings;
    const isDrawn = ({ run, rows }: Series) => {
      const style = styles.get(run);
      return rows > 0 && style !== undefined && !hidden.has(style.run.id);
    };
    const amount = ownSmoothing(series.filter(isDrawn), this.#smoothed.has(chart));
    if (amount) this.#smoothed.add(chart);
    else this.#smoothed.delete(chart);
    return { ...settings, smoothing: { ...smoothing, amount, auto: false } };
  }
}
