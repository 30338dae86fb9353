import { h, setText, swatch } from "../dom.ts";
import { formatClock, formatDuration } from "../format.ts";
import type { Styled } from "../rows.ts";
import type { Entry } from "../table.ts";

export interface Editing {
  /** Whether there is a kernel to change a run. */
  possible: boolean;
  rename(entry: Entry, name: string): void;
  tag(entry: Entry, tags: string[]): void;
  note(entry: Entry, notes: string): void;
  remove(entry: Entry): void;
  color(entry: Entry, color: string | null): void;
  solo(entry: Entry): void;
  close(): void;
}

const NO_KERNEL = "Only with a kernel behind this page";

/** One run under the list: what is said of it, and what can be changed. */
export class Details {
  readonly element = h("div", { class: "tb-run-details", role: "group", hidden: "" });
  #title = h("span", { class: "tb-runs-name" });
  #line = h("span", { class: "tb-runs-line" });
  #facts = h("span", { class: "tb-minor tb-number" });
  #name = h("input", { spellcheck: "false" });
  #tags = h("input", { spellcheck: "false", placeholder: "separated by commas" });
  #notes = h("textarea", { rows: "2" });
  #color = h("input", { type: "color" });
  #usual = button("Usual colour");
  #solo = button("Show alone");
  #remove = button("Delete…", "tb-danger");
  #question = h("span", { class: "tb-question" });
  #sure = button("Delete", "tb-danger");
  #keep = button("Keep");
  #ask = h("div", { class: "tb-run-ask", role: "alertdialog", "aria-label": "Delete this run?", hidden: "" });
  #entry: Entry | null = null;
  #editing: Editing;

  constructor(editing: Editing, signal: AbortSignal) {
    this.#editing = editing;
    const close = button("×", "tb-panel-close");
    close.setAttribute("aria-label", "Close details");
    this.#ask.append(this.#question, this.#sure, this.#keep);
    this.element.append(
      h("div", { class: "tb-run-title" }, this.#line, this.#title, this.#facts, close),
      field("Name", this.#name),
      field("Tags", this.#tags),
      field("Notes", this.#notes),
      h(
        "div",
        { class: "tb-run-buttons" },
        field("Colour", this.#color),
        this.#usual,
        this.#solo,
        this.#remove,
      ),
      this.#ask,
    );
    const on = (element: HTMLElement, event: string, act: (entry: Entry) => void) =>
      element.addEventListener(event, () => this.#entry && act(this.#entry), { signal });
    on(
      this.#name,
      "change",
      entry => this.#name.value.trim() && editing.rename(entry, this.#name.value.trim()),
    );
    on(this.#tags, "change", entry => editing.tag(entry, splitTags(this.#tags.value)));
    on(this.#notes, "change", entry => editing.note(entry, this.#notes.value.trim()));
    on(this.#color, "input", entry => editing.color(entry, this.#color.value));
    on(this.#usual, "click", entry => editing.color(entry, null));
    on(this.#solo, "click", entry => editing.solo(entry));
    on(this.#remove, "click", entry => this.ask(entry));
    on(this.#sure, "click", entry => editing.remove(entry));
    on(this.#keep, "click", () => this.#unask());
    on(close, "click", () => editing.close());
    this.element.addEventListener("keydown", event => this.#onKey(event), { signal });
  }

  /** The run shown; null where none is. */
  get run(): string | null {
    return this.#entry?.id ?? null;
  }

  update(
    entry: Entry | null,
    style: Pick<Styled, "color" | "dash"> | null,
    own: string | undefined,
    now: number,
  ) {
    const other = entry?.id !== this.#entry?.id;
    this.#entry = entry;
    this.element.hidden = !entry;
    if (!entry) return;
    if (other) this.#unask(false);
    this.element.setAttribute("aria-label", `Run ${entry.name}`);
    this.#line.replaceChildren(...(style ? [swatch(style.color, style.dash)] : []));
    setText(this.#title, entry.name);
    setText(this.#facts, factsOf(entry, now));
    this.#fill(this.#name, entry.name, other);
    this.#fill(this.#tags, entry.tags.join(", "), other);
    this.#fill(this.#notes, entry.notes ?? "", other);
    if (style) this.#color.value = own ?? style.color;
    (this.#color.parentElement as HTMLElement).hidden = !style; // a run has a colour when it is drawn
    this.#usual.hidden = !own;
    this.#allow();
  }

  /** Deleting is asked twice, and the second time the run is named. */
  ask(entry: Entry) {
    if (!this.#editing.possible) return;
    const running = entry.state === "running";
    setText(
      this.#question,
      running
        ? `“${entry.name}” is still running: finish it before you delete it.`
        : `Delete “${entry.name}” and all its points for ever?`,
    );
    this.#sure.hidden = running;
    setText(this.#keep, running ? "OK" : "Keep");
    this.#ask.hidden = false;
    this.#remove.hidden = true;
    (running ? this.#keep : this.#sure).focus();
  }

  #unask(focus = true) {
    this.#ask.hidden = true;
    this.#remove.hidden = false;
    if (focus) this.#remove.focus();
  }

  #onKey(event: KeyboardEvent) {
    if (event.key !== "Escape") return;
    if (this.#ask.hidden) this.#editing.close();
    else this.#unask();
  }

  #allow() {
    const { possible } = this.#editing;
    for (const control of [this.#name, this.#tags, this.#notes, this.#remove]) {
      control.disabled = !possible;
      control.title = possible ? "" : NO_KERNEL;
    }
  }

  /** What somebody is typing is theirs. */
  #fill(input: HTMLInputElement | HTMLTextAreaElement, text: string, other: boolean) {
    const root = input.getRootNode() as Document | ShadowRoot;
    if (other || root.activeElement !== input) input.value = text;
  }
}

function factsOf({ id, state, started, ended }: Entry, now: number): string {
  const end = ended ?? (state === "running" ? now : null);
  const lasted = end === null ? [] : [formatDuration(end - started)];
  return [state, ...lasted, formatClock(started), id].join(" · ");
}

export function splitTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map(tag => tag.trim())
        .filter(Boolean),
    ),
  ];
}

function button(text: string, more = ""): HTMLButtonElement {
  return h("button", { type: "button", class: `tb-button ${more}`.trim() }, text);
}

function field(name: string, control: HTMLElement): HTMLElement {
  return h("label", { class: "tb-field" }, h("span", {}, name), control);
}
