/**
 * The script in a board's text/html output, for pages made from an executed notebook. The page's widget manager
 * comes from a CDN; if that cannot be reached, this draws the board from the widget state saved in the page. A live
 * notebook has no saved state: there the output takes no space.
 */
import { importOnce, referredModel } from "../frames/import-once.ts";

interface Saved {
  state: Record<string, unknown> & {
    front_end?: string;
    code?: string;
    version?: string;
    keyframe?: { header?: { session?: string } };
  };
}

const PAGES = ".tb-page[data-trackbook-session]:not([data-trackbook-done])";
const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';

function show() {
  const saved = new Map<string, Saved>(
    [...document.querySelectorAll(STATE)].flatMap(tag =>
      Object.entries(JSON.parse(tag.textContent || "{}").state ?? {}),
    ) as [string, Saved][],
  );
  for (const page of document.querySelectorAll<HTMLElement>(PAGES)) {
    page.dataset.trackbookDone = "";
    const session = page.dataset.trackbookSession;
    const widget = [...saved.values()].find(({ state }) => state.keyframe?.header?.session === session);
    const frontEnd = saved.get(referredModel(widget?.state.front_end) ?? "");
    if (widget && frontEnd) void draw(page, widget, frontEnd);
    else if (!saved.size)
      page.closest<HTMLElement>(".jp-OutputArea-child")?.style.setProperty("display", "none");
  }
}

async function draw(page: HTMLElement, widget: Saved, { state: { version, code } }: Saved) {
  const { mount } = await importOnce(String(version), String(code));
  if (page.isConnected) mount(page, widget);
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
else show();
