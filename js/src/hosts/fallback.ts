/**
 * The script that a board's text/html output carries into pages made of an executed notebook. There, the page's widget
 * manager comes from a CDN; should that be out of reach, this draws the board from the saved state in the page itself.
 * In a live notebook there is no saved state, and the output that carries this script takes no room.
 */
interface Saved {
  state: Record<string, unknown> & { _esm?: string; keyframe?: { header?: { session?: string } } };
}

const PAGES = ".tb-page[data-trackbook-session]:not([data-trackbook-done])";
const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';

function show() {
  const saved = [...document.querySelectorAll(STATE)].flatMap(
    tag => Object.values(JSON.parse(tag.textContent || "{}").state ?? {}) as Saved[],
  );
  for (const page of document.querySelectorAll<HTMLElement>(PAGES)) {
    page.dataset.trackbookDone = "";
    const session = page.dataset.trackbookSession;
    const widget = saved.find(({ state }) => state._esm && state.keyframe?.header?.session === session);
    if (widget) void draw(page, widget);
    else if (!saved.length)
      page.closest<HTMLElement>(".jp-OutputArea-child")?.style.setProperty("display", "none");
  }
}

async function draw(page: HTMLElement, widget: Saved) {
  const url = URL.createObjectURL(new Blob([widget.state._esm as string], { type: "text/javascript" }));
  const { mount } = await import(url);
  URL.revokeObjectURL(url);
  if (page.isConnected) mount(page, widget);
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
else show();

export {};
