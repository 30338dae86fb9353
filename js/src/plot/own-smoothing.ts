import type { Series } from "../frames/series.ts";
import { ownSmoothing } from "./noise.ts";
import type { ChartContent, DrawSettings } from "./plot.ts";

/** Whether a chart is smoothed by itself: one whose noise is near the threshold does not change at each drawing. */
export class OwnSmoothing {
  #isOn = false;

  /** Return the settings of the chart, with its own smoothing as an amount. */
  settle({ series, settings }: Pick<ChartContent, "series" | "settings">): DrawSettings {
    const { styles, hidden, smoothing } = settings;
    if (!smoothing.auto || smoothing.amount) return settings;
    const isDrawn = ({ run, rows }: Series) => {
      const style = styles.get(run);
      return rows > 0 && style !== undefined && !hidden.has(style.run.id);
    };
    const amount = ownSmoothing(series.filter(isDrawn), this.#isOn);
    this.#isOn = amount > 0;
    return { ...settings, smoothing: { ...smoothing, amount, auto: false } };
  }
}
