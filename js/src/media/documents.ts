/** Text, Markdown and HTML. */
import { h } from "../ui/dom.ts";
import { markdownElements } from "./markdown.ts";
import { formatBytes } from "./media-dom.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem } from "./media-types.ts";

const MOST_TEXT = 1_000_000; // characters that are put into the page
const REMOVED = "script, link, meta, base, iframe, frame, frameset, object, embed, portal, template";
const RUNS = /^on|^(srcdoc|ping|action|formaction|target)$/i;
const LOADS = /^(src|srcset|poster|background|data|xlink:href)$/i;
const POLICY =
  "default-src 'none'; img-src data:; media-src data:; font-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

export async function documentElement(item: MediaItem, store: MediaStore): Promise<HTMLElement> {
  const text = await store.text(item.file as string);
  const cut = text.length > MOST_TEXT ? [cutNote(item)] : [];
  return h("div", { class: "tb-media-document" }, contentElement(item, text.slice(0, MOST_TEXT)), ...cut);
}

function contentElement({ kind, caption }: MediaItem, text: string): HTMLElement {
  if (kind === "html") return htmlFrame(text, caption ?? "HTML");
  if (kind === "markdown") return h("div", { class: "tb-media-markdown" }, ...markdownElements(text));
  return h("pre", { class: "tb-media-text tb-mono" }, text);
}

function cutNote({ size }: MediaItem): HTMLElement {
  return h(
    "div",
    { class: "tb-minor" },
    `The first part of ${formatBytes(size)}; download it to read all of it.`,
  );
}

/**
 * Return a frame that shows HTML: without scripts, forms, navigation of this page or an origin, and under a policy that loads
 * nothing but what the HTML itself holds.
 */
export function htmlFrame(text: string, title: string): HTMLIFrameElement {
  const frame = h("iframe", { sandbox: "", referrerpolicy: "no-referrer", title, class: "tb-media-html" });
  frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><base target="_blank">${cleaned(text)}`;
  return frame;
}

/** Remove what the frame would refuse to run or to load, so that the browser does not complain of it. */
function cleaned(text: string): string {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const element of page.querySelectorAll(REMOVED)) element.remove();
  for (const element of page.querySelectorAll("*"))
    for (const { name, value } of [...element.attributes]) {
      // a link in SVG heeds no <base>, so it would lead this frame elsewhere
      const loads = LOADS.test(name) || (name === "href" && !(element instanceof HTMLElement));
      const animates = name.toLowerCase() === "attributename" && /href|target/i.test(value);
      if (RUNS.test(name) || animates || (loads && !/^(data:|#)/i.test(value.trim())))
        element.removeAttribute(name);
    }
  return page.documentElement.outerHTML;
}
