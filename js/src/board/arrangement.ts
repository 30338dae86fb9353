import type { ViewState } from "../frames/view-state.ts";
import { ownEntry } from "../metrics.ts";
import { combinedName } from "../plot/combined.ts";
import type { Drop } from "./chart-drag.ts";
import type { ChartGroups } from "./chart-groups.ts";
import { naturalGroup, PINNED_GROUP } from "./chart-layout.ts";
import { formatSize, ONE_CELL, parseSize, sizeNear } from "./chart-sizes.ts";

type Members = ReadonlyMap<string, readonly string[]>;

/** Changes which charts a board has, where they stand and how large they are: by hand what Python sets as view settings. */
export class Arrangement {
  #state: ViewState;
  #groups: ChartGroups;
  #members: () => Members;

  /** `members` returns the metrics of each combined chart. */
  constructor(state: ViewState, groups: ChartGroups, members: () => Members) {
    [this.#state, this.#groups, this.#members] = [state, groups, members];
  }

  isPinned(name: string): boolean {
    return this.#state.get("pinned").includes(name);
  }

  togglePin(name: string) {
    this.#state.toggle("pinned", name);
  }

  drop(name: string, drop: Drop) {
    if (drop.kind === "group") return this.#toGroup(name, drop.group);
    if (drop.kind === "onto") return this.combine(name, drop.chart);
    const section = this.#groups.sectionOf(drop.chart);
    if (!section) return;
    const charts = section.charts.filter(other => other !== name);
    const at = charts.indexOf(drop.chart) + Number(drop.kind === "after");
    const order = [...charts.slice(0, at), name, ...charts.slice(at)];
    if (section.key === PINNED_GROUP) return this.#state.set("pinned", this.#withUnseen(order));
    this.#place(name, section.group);
    this.#setOrder(order);
  }

  /** Move a chart among the others of its group. */
  move(name: string, by: number) {
    const charts = this.#groups.sectionOf(name)?.charts ?? [];
    const other = charts[charts.indexOf(name) + by];
    if (other !== undefined) this.drop(name, { kind: by < 0 ? "before" : "after", chart: other });
  }

  /** Draw the metrics of a chart in another chart, which keeps its place. */
  combine(name: string, onto: string) {
    const section = this.#groups.sectionOf(onto);
    const { [name]: _, ...combined } = this.#state.get("combined");
    const metrics = [...new Set([...this.#metricsOf(onto), ...this.#metricsOf(name)])];
    const joined = Object.hasOwn(combined, onto) ? onto : this.#freeName(metrics);
    if (section && section.key !== PINNED_GROUP) {
      this.#place(joined, section.group);
      this.#setOrder(
        section.charts.flatMap(each => (each === onto ? [joined] : each === name ? [] : [each])),
      );
    }
    const pinned = this.#state.get("pinned");
    if (pinned.includes(onto) || pinned.includes(name)) {
      const kept = pinned.map(each => (each === onto ? joined : each)).filter(each => each !== name);
      this.#state.set("pinned", kept);
    }
    this.#state.set("combined", { ...combined, [joined]: metrics });
  }

  /** Draw each metric of a combined chart in a chart of its own. */
  separate(name: string) {
    const combined = { ...this.#state.get("combined") };
    if (!Object.hasOwn(combined, name)) return this.#state.set("combine_splits", false);
    delete combined[name];
    this.#state.set("combined", combined);
  }

  sizeOf(name: string): string {
    return formatSize(this.#size(name));
  }

  setSize(name: string, size: string) {
    const { [name]: _, ...others } = this.#state.get("chart_sizes");
    if (size === this.sizeOf(name)) return;
    this.#state.set("chart_sizes", size === formatSize(ONE_CELL) ? others : { ...others, [name]: size });
  }

  /** Give a chart the size that is nearest to one in pixels. */
  resize(name: string, width: number, height: number) {
    this.setSize(name, formatSize(sizeNear(this.#groups.grid, width, height)));
  }

  #size(name: string) {
    const sizes = this.#state.get("chart_sizes");
    return parseSize(Object.hasOwn(sizes, name) ? sizes[name] : undefined);
  }

  #metricsOf(name: string): readonly string[] {
    return this.#members().get(name) ?? [name];
  }

  /** Return a name for a combined chart that is not that of another chart. */
  #freeName(metrics: readonly string[]): string {
    const name = combinedName(metrics);
    return this.#groups.names.includes(name) && !metrics.includes(name) ? metrics.join(" + ") : name;
  }

  #toGroup(name: string, group: string) {
    if (group === PINNED_GROUP) {
      if (!this.isPinned(name)) this.togglePin(name);
      return;
    }
    const section = this.#groups.sections.find(({ key }) => key === group);
    this.#place(name, section?.group ?? group);
    this.#setOrder([...(section?.charts ?? []).filter(other => other !== name), name]);
  }

  /** Put a chart into a group, and no longer on top. */
  #place(name: string, group: string) {
    if (this.isPinned(name)) this.togglePin(name);
    const { [name]: _, ...others } = this.#state.get("chart_groups");
    const natural = naturalGroup(name, this.#state.get("prefixes"));
    const groups = natural === group ? others : { ...others, [name]: group };
    if (ownEntry(this.#state.get("chart_groups"), name) !== ownEntry(groups, name))
      this.#state.set("chart_groups", groups);
  }

  #setOrder(order: readonly string[]) {
    const others = this.#state.get("chart_order").filter(name => !order.includes(name));
    this.#state.set("chart_order", [...others, ...order]);
  }

  /** Return an order of pinned charts with those that the board does not have now. */
  #withUnseen(order: readonly string[]): string[] {
    return [...order, ...this.#state.get("pinned").filter(name => !order.includes(name))];
  }
}
