/** The page of a server: the list of projects, a project, or one run. Its address says which, and brings it back. */
import { Board } from "../board/board.ts";
import { storeOf } from "../frames/picture-store.ts";
import type { RunState } from "../frames/protocol.ts";
import { Requests } from "../frames/requests.ts";
import { decodeRunsTable, runEntries } from "../frames/runs-table.ts";
import { ViewState } from "../frames/view-state.ts";
import { goalOf } from "../plot/chart-options.ts";
import { currentRun, styleRuns } from "../plot/palette.ts";
import { RunColumns } from "../runs/columns.ts";
import { RunDetails } from "../runs/details/run-details.ts";
import { runEdits } from "../runs/details/run-edits.ts";
import { resultsOf } from "../runs/results.ts";
import { h, setText } from "../ui/dom.ts";
import { detectTheme, watchTheme } from "../ui/theme.ts";
import { NEW_TOKEN, ProjectList } from "./project-list.ts";
import { type Connection, RemoteModel } from "./remote-model.ts";
import css from "./site.css";
import { applyParameters, followView, showPage } from "./url-parameters.ts";

const QUIET = 1500; // ms without a connection until the page says so
const STATES: Record<RunState | "list" | "lost", string> = {
  list: "#2347d9",
  running: "#2347d9",
  finished: "#07a292",
  failed: "#c0392b",
  interrupted: "#c05324",
  lost: "#8a8f98",
};
const LOST: Record<Exclude<Connection, "connected">, string> = {
  connecting: "Connecting…",
  lost: "Reconnecting…",
  refused: "",
};

/** Show the page that the address names, and follow the address from then on. */
export function openSite(el: HTMLElement) {
  new Site(el);
}

class Site {
  #nav = h("nav", { class: "tb-site-nav", "aria-label": "Trackbook" });
  #path = h("div", { class: "tb-site-path" });
  #status = h("span", { class: "tb-site-status", role: "status" });
  #body = h("div", { class: "tb-site-body" });
  #page = new AbortController();

  constructor(el: HTMLElement) {
    const { signal } = new AbortController();
    this.#nav.append(this.#path, this.#status);
    el.classList.add("tb-site");
    el.append(this.#nav, this.#body);
    document.head.append(h("style", {}, css));
    const theme = () => (el.dataset.theme = detectTheme(window));
    watchTheme(window, theme, signal);
    theme();
    window.addEventListener("popstate", () => this.#show());
    el.addEventListener("click", event => this.#follow(event));
    this.#show();
  }

  /** Follow a link within the site without loading the page anew. */
  #follow(event: MouseEvent) {
    const link = (event.target as Element).closest?.("a");
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || link.origin !== location.origin || link.pathname !== location.pathname) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    this.#show();
  }

  #show() {
    this.#page.abort();
    this.#page = new AbortController();
    this.#body.replaceChildren();
    setText(this.#status, "");
    const parameters = new URLSearchParams(location.search);
    const [project, run] = [parameters.get("project"), parameters.get("run")];
    showPage(parameters);
    this.#showPath(project, run);
    if (project === null) this.#showList();
    else this.#showProject(project, run, parameters);
  }

  #showPath(project: string | null, run: string | null) {
    const parts: (Node | string)[] = [h("a", { href: addressOf({}), class: "tb-site-home" }, "Trackbook")];
    if (project !== null) parts.push(h("a", { href: addressOf({ project }) }, project));
    if (project !== null && run !== null) parts.push(h("span", {}, run));
    this.#path.replaceChildren(...parts);
  }

  #showList() {
    const list = new ProjectList(addressOf, text => setText(this.#status, text), this.#page.signal);
    this.#body.append(list.element);
    mark("Trackbook", "list");
  }

  #showProject(project: string, run: string | null, parameters: URLSearchParams) {
    const { signal } = this.#page;
    const runs = run === null ? parameters.getAll("runs").join(",") : run;
    const query = new URLSearchParams({ project, ...(runs ? { runs } : {}) });
    const address = new URL(`ws?${query}`, location.href.replace(/^http/, "ws"));
    const model = new RemoteModel(address.href, signal);
    if (run === null && !parameters.has("sidebar")) model.set("panel", "runs");
    if (run === null) model.runPage = id => addressOf({ project, run: id });
    const store = storeOf(model);
    const follow = () => {
      this.#showConnection(model, project, run);
      const { picture } = store;
      const current = picture && currentRun(picture.runs);
      const state = model.get("connection") === "connected" ? (current?.state ?? "list") : "lost";
      const named = run === null ? project : `${current?.name ?? run} · ${project}`;
      mark(`${state === "running" ? "● " : ""}${named} – Trackbook`, state);
    };
    model.on("change:connection", follow);
    model.on("change:gone", follow);
    store.subscribe(follow, signal);
    const begin = () => {
      if (model.get("keyframe") === undefined) return;
      model.off("change:keyframe", begin);
      const applied = applyParameters(model, parameters, ["tab", "token"]);
      new Board(this.#body, model, { live: true, signal, zoom: applied.zoom });
      if (run !== null) this.#showDetails(model, signal);
      followView(model, applied, signal);
    };
    model.on("change:keyframe", begin);
    follow();
  }

  /** Show the details of a page's run under its charts. */
  #showDetails(model: RemoteModel, signal: AbortSignal) {
    const requests = new Requests(model, signal);
    const said = h("div", { class: "tb-minor", role: "status" });
    const edits = runEdits(new ViewState(model, () => update(), signal), requests, text =>
      setText(said, text),
    );
    const details = new RunDetails(edits, requests, signal);
    const place = h("div", { class: "tb-board tb-site-details" }, details.element, said);
    this.#body.append(place);
    const store = storeOf(model);
    const update = () => {
      const { picture } = store;
      if (!picture) return;
      const theme = detectTheme(window);
      place.dataset.theme = theme;
      const about = currentRun(picture.runs);
      const table = decodeRunsTable(model.get("table"));
      const entries = runEntries(table, picture);
      const named = (id: unknown) => entries.find(entry => entry.id === id);
      const entry = named(about?.id) ?? null;
      const colors = (model.get("run_colors") ?? {}) as Record<string, string>;
      const style = about ? styleRuns(picture.runs, theme, colors).get(about.key) : undefined;
      const { metrics } = new RunColumns(table, entry ? [entry] : [], picture.metrics);
      const results = entry
        ? resultsOf(entry, named(model.get("baseline")), metrics, metric => goalOf(metric, picture.runs))
        : [];
      details.update(entry, style ?? null, colors[entry?.id ?? ""], picture.now, results);
    };
    store.subscribe(update, signal);
    model.on("change:table", update);
    model.on("change:may_write", update);
    watchTheme(window, update, signal);
    update();
  }

  #showConnection(model: RemoteModel, project: string, run: string | null) {
    const connection = model.get("connection") as Connection;
    const gone = model.get("gone");
    if (connection === "refused" || typeof gone === "string") {
      const { reason } = (model.get("refused") ?? { reason: gone }) as { reason: string };
      setText(this.#status, "");
      const links = [h("a", { href: addressOf({}) }, "All projects")];
      if (run !== null) links.unshift(h("a", { href: addressOf({ project }) }, `All runs of ${project}`));
      this.#body.replaceChildren(
        h("p", { class: "tb-site-message", role: "alert" }, asSentence(reason)),
        ...links.map(link => h("p", { class: "tb-site-message" }, link)),
      );
      this.#page.abort();
      mark(`${project} – Trackbook`, "lost");
      return;
    }
    if (connection === "connected") return setText(this.#status, "");
    setTimeout(() => {
      if (!this.#page.signal.aborted && model.get("connection") === connection)
        setText(this.#status, LOST[connection]);
    }, QUIET);
    if (connection === "lost") void this.#checkAccess();
  }

  /** A server that was started anew may not know this page. */
  async #checkAccess() {
    const answer = await fetch("api/projects").catch(() => null);
    if (answer?.status !== 401) return;
    this.#page.abort();
    this.#body.replaceChildren(h("p", { class: "tb-site-message", role: "alert" }, NEW_TOKEN));
  }
}

/** Make a sentence of a reason, which may be a part of one. */
function asSentence(reason: string): string {
  return reason[0].toUpperCase() + reason.slice(1) + (/[.?!]$/.test(reason) ? "" : ".");
}

/** Return the address of a page of this site, in the look that this one's address chose. */
function addressOf(parameters: Record<string, string>): string {
  const here = new URLSearchParams(location.search);
  const look = ["theme", "navbar"].flatMap(name => here.getAll(name).map(value => [name, value]));
  const query = new URLSearchParams([...Object.entries(parameters), ...look]).toString();
  return query ? `?${query}` : location.pathname;
}

/** Show in the tab what the page shows, and its state. */
function mark(title: string, state: keyof typeof STATES) {
  if (document.title !== title) document.title = title;
  const dot = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M1 12 5 7l3 3 6-7" fill="none" stroke="${STATES[state]}" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const address = `data:image/svg+xml,${encodeURIComponent(dot)}`;
  if (icon && icon.href !== address) icon.href = address;
}
