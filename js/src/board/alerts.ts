import { type HostModel, onTraitChange } from "../frames/host-model.ts";
import type { PictureStore } from "../frames/picture-store.ts";
import type { Alert } from "../frames/protocol.ts";
import { h, setText } from "../ui/dom.ts";
import { formatClock } from "../ui/format.ts";
import { Popover, popoverButton } from "../ui/popover.ts";

const SIGNS: Record<string, string> = { info: "ℹ", warn: "⚠" };
const MOST = 50; // as in `boards/run_details.py`
const signOf = (level: string) => SIGNS[level] ?? "✖";

/** The alerts of the board's runs: a button in the header with their number, and their list. */
export class Alerts {
  #popover: Popover;
  #button: HTMLButtonElement;
  readonly element = h("span", { hidden: "" });
  #known: Set<string> | null = null;
  #opened = Date.now() / 1000;
  #store: PictureStore;

  constructor(model: HostModel, live: boolean, store: PictureStore, signal: AbortSignal) {
    this.#store = store;
    this.#popover = new Popover("dialog", "Alerts", signal);
    this.#popover.panel.tabIndex = 0;
    this.#button = popoverButton(this.#popover, "Alerts", "tb-alerts-button");
    this.element.append(this.#button, this.#popover.panel);
    const update = () => {
      const alerts = model.get("alerts");
      this.#show(Array.isArray(alerts) ? alerts : [], live);
    };
    onTraitChange(model, ["alerts"], update, signal);
    update();
    const open = () => {
      update(); // runs may have been renamed
      this.#popover.toggle(this.#button);
    };
    this.#button.addEventListener("click", open, { signal });
  }

  #nameOf(run: string): string | undefined {
    return this.#store.picture?.runs.find(({ id }) => id === run)?.name;
  }

  #show(alerts: readonly Alert[], live: boolean) {
    this.element.hidden = !alerts.length;
    const newest = [...alerts].reverse();
    const worst = ["error", "warn"].find(level => newest.some(alert => alert[3] === level)) ?? "info";
    this.#button.dataset.level = worst;
    const count = `${alerts.length}${alerts.length < MOST ? "" : "+"}`;
    setText(this.#button, `${signOf(worst)} ${count}`);
    this.#button.title = `Alerts: ${count}, the worst: ${worst}`;
    this.#button.setAttribute("aria-label", this.#button.title);
    this.#popover.panel.replaceChildren(
      ...newest.map(([run, , time, level, title, text, times]) =>
        h(
          "div",
          { class: "tb-alert" },
          `${signOf(level)} ${title}${times > 1 ? ` ×${times}` : ""}`,
          h(
            "div",
            { class: "tb-minor" },
            [this.#nameOf(run), formatClock(time), text].filter(Boolean).join(" · "),
          ),
        ),
      ),
    );
    const before = this.#known;
    this.#known = new Set(newest.map(([run, number]) => `${run}/${number}`));
    if (!before || !live || globalThis.Notification?.permission !== "granted") return;
    const since = this.#opened + this.#store.skew; // alerts of runs that join the board may be old
    for (const [run, number, time, , title, body] of alerts) {
      const tag = `${run}/${number}`;
      try {
        if (time >= since && !before.has(tag)) new Notification(title, { body, tag });
      } catch {
        return; // a browser on Android notifies only from a service worker, and refuses this
      }
    }
  }
}
