import type { Requests } from "../../frames/requests.ts";
import type { RunEntry } from "../../frames/runs-table.ts";
import type { RunStyle } from "../../plot/plot-rows.ts";
import { button, h, labelled, setText, swatch } from "../../ui/dom.ts";
import { formatClock, formatDuration } from "../../ui/format.ts";
import { FullScreen } from "../../ui/fullscreen.ts";
import { Tabs } from "../../ui/tabs.ts";
import { formatConfigValue } from "../columns.ts";
import { durationOf } from "../run-state.ts";
import { CodeTab } from "./code-tab.ts";
import { ConsoleTab } from "./console-tab.ts";
import { titledList } from "./definition-list.ts";
import { EnvironmentTab } from "./environment-tab.ts";
import type { PolledTab } from "./polled-tab.ts";
import type { RunEdits } from "./run-edits.ts";

/** What the details can do. They stay open where `close` is missing, as on a page of their run alone. */
interface Doing extends RunEdits {
  solo?(entry: RunEntry): void;
  close?(): void;
}

type Pairs = readonly (readonly [name: string, value: string])[];

const TAGS_HINT = "separated by commas";
const TABS = { overview: "Overview", console: "Console", code: "Code", environment: "Environment" };

/** The details of one run: overview with editable fields, console, code, environment. */
export class RunDetails {
  readonly element = h("div", { class: "tb-run-details", role: "group", hidden: "" });
  readonly head = h("div", { class: "tb-run-title" });
  readonly body = h("div", { class: "tb-run-body" }, this.head);
  #fullScreen: FullScreen;
  #tabs: Tabs<keyof typeof TABS>;
  #tab: keyof typeof TABS = "overview";
  #overview = h("div", { class: "tb-overview" });
  #pairs = h("div", {
    class: "tb-scroll",
    tabindex: "0",
    role: "group",
    "aria-label": "Results and config",
    hidden: "",
  });
  #shownPairs = "";
  #polledTabs: readonly (readonly [keyof typeof TABS, PolledTab])[];
  #title = h("span", { class: "tb-runs-name" });
  #line = h("span", { class: "tb-runs-line" });
  #page = h("a", { class: "tb-run-page", hidden: "" }, "Own page");
  #requests: Requests;
  #facts = h("span", { class: "tb-minor tb-number" });
  #name = h("input", { spellcheck: "false" });
  #tags = h("input", { spellcheck: "false", placeholder: TAGS_HINT });
  #notes = h("textarea", { rows: "2" });
  #color = h("input", { type: "color" });
  #defaultColor = button("Default colour");
  #solo = button("Show only this run");
  #remove = button("Delete…", "tb-danger");
  #questionText = h("span", { class: "tb-question" });
  #confirm = button("Delete", "tb-danger");
  #cancel = button("Keep");
  #question = h("div", {
    class: "tb-run-ask",
    role: "alertdialog",
    "aria-label": "Delete this run?",
    hidden: "",
  });
  #entry: RunEntry | null = null;
  #editing: Doing;

  constructor(editing: Doing, requests: Requests, signal: AbortSignal) {
    this.#editing = editing;
    this.#requests = requests;
    this.#fullScreen = new FullScreen(signal);
    this.#tabs = new Tabs(TABS, "Run details", name => this.#choose(name), signal);
    this.#polledTabs = [
      ["console", new ConsoleTab(requests, signal)],
      ["code", new CodeTab(requests, signal)],
      ["environment", new EnvironmentTab(requests, signal)],
    ];
    const large = button("⤢", "tb-panel-close");
    const close = button("×", "tb-panel-close");
    large.setAttribute("aria-label", "Full screen");
    close.setAttribute("aria-label", "Close details");
    this.#question.append(this.#questionText, this.#confirm, this.#cancel);
    this.head.append(this.#line, this.#title, this.#facts, this.#page, large, close);
    this.#overview.append(
      labelled("Name", this.#name),
      labelled("Tags", this.#tags),
      labelled("Notes", this.#notes),
      h(
        "div",
        { class: "tb-run-buttons" },
        labelled("Colour", this.#color),
        this.#defaultColor,
        this.#solo,
        this.#remove,
      ),
      this.#question,
      this.#pairs,
    );
    this.body.append(this.#tabs.element, this.#tabs.panel("overview", this.#overview));
    for (const [name, { element }] of this.#polledTabs) this.body.append(this.#tabs.panel(name, element));
    this.element.append(this.body, this.#fullScreen.element);
    large.addEventListener("click", () => this.#fullScreen.toggle(this, this.#entry?.name ?? ""), { signal });
    const on = (element: HTMLElement, event: string, act: (entry: RunEntry) => void) =>
      element.addEventListener(event, () => this.#entry && act(this.#entry), { signal });
    on(this.#name, "change", entry => {
      const name = this.#name.value.trim();
      if (!name) this.#name.value = entry.name;
      editing.rename(entry, name);
    });
    on(this.#tags, "change", entry => editing.tag(entry, splitTags(this.#tags.value)));
    on(this.#notes, "change", entry => editing.note(entry, this.#notes.value.trim()));
    on(this.#color, "input", entry => editing.color(entry, this.#color.value));
    on(this.#defaultColor, "click", entry => editing.color(entry, null));
    this.#solo.hidden = !editing.solo;
    close.hidden = !editing.close;
    on(this.#solo, "click", entry => editing.solo?.(entry));
    on(this.#remove, "click", entry => this.askToDelete(entry));
    on(this.#confirm, "click", entry => editing.remove(entry));
    on(this.#cancel, "click", () => this.#closeQuestion());
    on(close, "click", () => editing.close?.());
    this.body.addEventListener("keydown", event => this.#onKey(event), { signal });
  }

  /** Focus the name, or the selected tab if the name is not shown or not editable. */
  focus() {
    const { readOnly } = this.#name;
    (this.#tab === "overview" && !readOnly ? this.#name : this.#tabs.tab(this.#tab)).focus();
  }

  #choose(name: keyof typeof TABS) {
    this.#tab = name;
    this.#show();
  }

  #show() {
    const entry = this.#entry;
    this.#tabs.update(this.#tab);
    this.#overview.hidden = this.#tab !== "overview";
    for (const [name, part] of this.#polledTabs) {
      const open = name === this.#tab;
      part.element.hidden = !open;
      part.update(entry?.id ?? part.run, entry?.state === "running", open && entry !== null);
    }
  }

  /** Show results and config. An unchanged list is not redrawn, to keep its scroll position. */
  #showPairs({ config }: RunEntry, results: Pairs) {
    const settings = [...config].map(([key, value]) => [key, formatConfigValue(value)] as const);
    const all: [string, Pairs][] = [
      ["results", results],
      ["config", settings],
    ];
    const lists = all.filter(([, own]) => own.length);
    const shown = JSON.stringify(lists);
    if (shown === this.#shownPairs) return;
    this.#shownPairs = shown;
    this.#pairs.hidden = !lists.length;
    this.#pairs.replaceChildren(...lists.map(([name, own]) => titledList(name, own)));
  }

  /** The id of the run shown; null if there is none. */
  get run(): string | null {
    return this.#entry?.id ?? null;
  }

  update(
    entry: RunEntry | null,
    style: Pick<RunStyle, "color" | "dash"> | null,
    own: string | undefined,
    now: number,
    results: Pairs = [],
  ) {
    const other = entry?.id !== this.#entry?.id;
    this.#entry = entry;
    this.element.hidden = !entry;
    this.#show();
    if (!entry) return this.#fullScreen.close();
    if (other) this.#closeQuestion(false);
    this.#showPairs(entry, results);
    this.element.setAttribute("aria-label", `Run ${entry.name}`);
    this.#line.replaceChildren(...(style ? [swatch(style.color, style.dash)] : []));
    setText(this.#title, entry.name);
    setText(this.#facts, factsOf(entry, now));
    this.#facts.title = this.#facts.textContent as string; // readable when truncated
    const page = this.#requests.runPage(entry.id);
    this.#page.hidden = page === undefined;
    if (page !== undefined) this.#page.setAttribute("href", page);
    this.#fill(this.#name, entry.name, other);
    this.#fill(this.#tags, entry.tags.join(", "), other);
    this.#fill(this.#notes, entry.notes ?? "", other);
    if (style) this.#color.value = own ?? style.color;
    (this.#color.parentElement as HTMLElement).hidden = !style; // only drawn runs have a colour
    this.#defaultColor.hidden = !own;
    this.#enable();
  }

  /** Ask for confirmation before deleting, with the name of the run. */
  askToDelete(entry: RunEntry) {
    if (this.#requests.refusal) return;
    this.#choose("overview");
    const running = entry.state === "running";
    setText(
      this.#questionText,
      running
        ? `“${entry.name}” is still running: finish it before you delete it.`
        : `Permanently delete “${entry.name}” and all its points?`,
    );
    this.#confirm.hidden = running;
    setText(this.#cancel, running ? "OK" : "Keep");
    this.#question.hidden = false;
    this.#remove.hidden = true;
    (running ? this.#cancel : this.#confirm).focus();
  }

  #closeQuestion(focus = true) {
    this.#question.hidden = true;
    this.#remove.hidden = false;
    if (focus) this.#remove.focus();
  }

  #onKey(event: KeyboardEvent) {
    if (event.key !== "Escape" || this.#fullScreen.element.open) return;
    if (this.#question.hidden) this.#editing.close?.();
    else this.#closeQuestion();
  }

  #enable() {
    const { refusal } = this.#requests;
    for (const field of [this.#name, this.#tags, this.#notes]) {
      field.readOnly = refusal !== "";
      field.title = refusal;
      (field.parentElement as HTMLElement).hidden = field.readOnly && !field.value;
    }
    this.#tags.placeholder = refusal ? "" : TAGS_HINT;
    this.#remove.hidden = refusal !== "" || !this.#question.hidden;
  }

  /** Fill a field, unless the user is editing it. */
  #fill(input: HTMLInputElement | HTMLTextAreaElement, text: string, other: boolean) {
    const root = input.getRootNode() as Document | ShadowRoot;
    if (other || root.activeElement !== input) input.value = text;
  }
}

function factsOf(entry: RunEntry, now: number): string {
  const duration = durationOf(entry, now);
  const elapsed = duration === undefined ? [] : [formatDuration(duration)];
  return [entry.state, ...elapsed, formatClock(entry.started), entry.id].join(" · ");
}

function splitTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map(tag => tag.trim())
        .filter(Boolean),
    ),
  ];
}
