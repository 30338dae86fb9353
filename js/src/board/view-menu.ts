import { SETTINGS, type SettingName, VIEW_VERSION, type ViewState } from "../frames/view-state.ts";
import { h, setText } from "../ui/dom.ts";
import { Popover, popoverButton } from "../ui/popover.ts";

const NAMES = Object.keys(SETTINGS) as SettingName[];

const COPIED = 2000; // ms in which the button says so

/** Return the Python that sets a view: the settings that differ from their defaults. */
export function viewAsPython(get: (name: SettingName) => unknown): string {
  const changed = NAMES.filter(name => JSON.stringify(get(name)) !== JSON.stringify(SETTINGS[name].default));
  const view = Object.fromEntries([["version", VIEW_VERSION], ...changed.map(name => [name, get(name)])]);
  return `board.view(${asPython(view)})`;
}

/** Return a value of a setting as Python writes it. */
function asPython(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(asPython).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, item]) => `${asPython(key)}: ${asPython(item)}`)
      .join(", ")}}`;
  return JSON.stringify(value); // of numbers and texts, the same in both languages
}

let radioGroups = 0; // radio group names must be unique in the page

/** The menu of view settings that are changed less often. */
export class ViewMenu {
  readonly button: HTMLButtonElement;
  readonly panel: HTMLElement;
  /** Holds controls of the header that it has no room for. */
  readonly extra = h("div", { class: "tb-view-extra" });
  #state: ViewState;
  #signal: AbortSignal;
  #updates: (() => void)[] = [];

  constructor(state: ViewState, signal: AbortSignal) {
    [this.#state, this.#signal] = [state, signal];
    const popover = new Popover("dialog", "View", signal);
    this.panel = popover.panel;
    this.panel.classList.add("tb-view-menu");
    this.button = popoverButton(popover, "View", "tb-menu-button", "View", h("span", { class: "tb-caret" }));
    this.button.addEventListener("click", () => popover.toggle(this.button), { signal });
    const reset = h("button", { type: "button", class: "tb-link" }, "Reset to defaults");
    reset.addEventListener("click", () => this.#reset(), { signal });
    const copy = h(
      "button",
      { type: "button", class: "tb-link", title: "As Python: board.view({…})" },
      "Copy view",
    );
    copy.addEventListener("click", () => void this.#copy(copy), { signal });
    const shown = NAMES.filter(name => SETTINGS[name].menu);
    this.panel.append(
      this.extra,
      ...shown.map(name => this.#control(name)),
      h("div", { class: "tb-links" }, copy, reset),
    );
  }

  update() {
    for (const sync of this.#updates) sync();
  }

  #control(name: SettingName): HTMLElement {
    const { default: usual, choices, options = {} } = SETTINGS[name];
    if (typeof usual === "boolean") return this.#check(name);
    return this.#segments(
      name,
      choices
        ? Object.entries(choices)
        : Object.entries(options).map(([value, text]) => [Number(value), text]),
    );
  }

  #segments(name: SettingName, options: [value: unknown, text: string][]) {
    const { label = "", help = "", unit } = SETTINGS[name];
    const group = `tb-view-${radioGroups++}`;
    const segments = options.map(([value, text]) => {
      const input = h("input", { type: "radio", name: group, value: String(value) });
      input.addEventListener("change", () => this.#state.set(name, value as never), { signal: this.#signal });
      this.#updates.push(() => {
        input.checked = this.#state.get(name) === value;
      });
      return h("label", {}, input, h("span", {}, text));
    });
    const shown = h("span", { title: help }, label);
    this.#updates.push(() => {
      const value = this.#state.get(name);
      const known = options.some(([option]) => option === value);
      setText(shown, known ? label : [label, value, unit].join(" "));
    });
    const box = h("div", { class: "tb-segments", role: "radiogroup", "aria-label": label }, ...segments);
    return h("div", { class: "tb-setting" }, shown, box);
  }

  #check(name: SettingName) {
    const { label = "", help = "" } = SETTINGS[name];
    const input = h("input", { type: "checkbox", "data-trait": name });
    input.addEventListener("change", () => this.#state.set(name, input.checked), { signal: this.#signal });
    this.#updates.push(() => {
      input.checked = this.#state.get(name) === true;
    });
    return h("label", { class: "tb-check", title: help }, input, h("span", {}, label));
  }

  async #copy(button: HTMLElement) {
    try {
      await navigator.clipboard.writeText(viewAsPython(name => this.#state.get(name)));
      setText(button, "Copied");
    } catch (error) {
      setText(button, `Not copied: ${(error as Error).message}`); // the host or the reader forbids it
    }
    setTimeout(() => setText(button, "Copy view"), COPIED);
  }

  #reset() {
    for (const name of NAMES) {
      const { menu, reset, default: usual } = SETTINGS[name];
      if (menu || reset) this.#state.set(name, usual as never);
    }
  }
}
