/** A trace: the messages of a chat, with calls of tools and their results. */
import { h } from "../ui/dom.ts";
import { markdownElements } from "./markdown.ts";
import type { MediaStore } from "./media-store.ts";
import type { MediaItem } from "./media-types.ts";

const MOST_MESSAGES = 500;
const LONG = 1200; // characters of a message that is folded

interface TracePart {
  type?: string;
  text?: string;
  image_url?: { url?: string } | string;
}

interface ToolCall {
  name?: string;
  arguments?: unknown;
  function?: { name?: string; arguments?: unknown };
}

interface TraceMessage {
  role?: string;
  content?: string | readonly (TracePart | string)[] | null;
  name?: string;
  tool_calls?: readonly ToolCall[];
  tool_call_id?: string;
}

export async function traceElement(item: MediaItem, store: MediaStore): Promise<HTMLElement> {
  const trace = await store.json<{ messages?: TraceMessage[] } | TraceMessage[]>(item.file as string);
  const messages = Array.isArray(trace) ? trace : (trace.messages ?? []);
  const shown = messages.slice(0, MOST_MESSAGES).map(messageElement);
  const more = messages.length - shown.length;
  return h(
    "div",
    { class: "tb-media-trace", role: "list" },
    ...shown,
    ...(more > 0
      ? [h("div", { class: "tb-minor" }, `${more} more messages; download the trace to read them.`)]
      : []),
  );
}

function messageElement(message: TraceMessage): HTMLElement {
  const role = String(message.role ?? "message");
  const name = message.name ? ` · ${message.name}` : "";
  const content = contentOf(message);
  const calls = (message.tool_calls ?? []).map(callElement);
  const head = h(
    "div",
    { class: "tb-media-role" },
    role === "tool" ? `tool result${name}` : `${role}${name}`,
  );
  return h(
    "div",
    { class: "tb-media-message", role: "listitem", "data-role": role },
    head,
    ...content,
    ...calls,
  );
}

function contentOf({ role, content }: TraceMessage): HTMLElement[] {
  const parts = typeof content === "string" || !content ? [content ?? ""] : content;
  return parts.flatMap(part => {
    const image = typeof part === "object" ? imageOf(part) : null;
    if (image) return [image];
    const text = typeof part === "string" ? part : (part.text ?? JSON.stringify(part, null, 1));
    return text ? [folded(textElement(text, role ?? ""), text)] : [];
  });
}

function textElement(text: string, role: string): HTMLElement {
  if (role === "tool") return codeElement(text);
  return h("div", { class: "tb-media-markdown" }, ...markdownElements(text));
}

/** Show JSON indented, and other text as it is. */
function codeElement(text: unknown): HTMLElement {
  let shown = typeof text === "string" ? text : JSON.stringify(text, null, 2);
  if (typeof text === "string" && /^\s*[[{]/.test(text)) {
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // text that only looks like JSON
    }
  }
  return h("pre", { class: "tb-mono" }, shown ?? "");
}

function folded(element: HTMLElement, text: string): HTMLElement {
  if (text.length < LONG) return element;
  const start = `${text.slice(0, 120).replace(/\s+/g, " ")}… (${text.length.toLocaleString("en")} characters)`;
  return h("details", {}, h("summary", {}, start), element);
}

function callElement(call: ToolCall): HTMLElement {
  const { name, arguments: given } = call.function ?? call;
  return h(
    "details",
    { class: "tb-media-call", open: "" },
    h("summary", {}, h("span", { class: "tb-mono" }, `${name ?? "tool"}()`)),
    codeElement(given ?? {}),
  );
}

/** Return the image of a part that holds its bytes; a board loads no others. */
function imageOf({ image_url: given }: TracePart): HTMLElement | null {
  const url = typeof given === "object" ? given?.url : given;
  return typeof url === "string" && /^data:image\//i.test(url)
    ? h("img", { class: "tb-media-inline", alt: "image", src: url })
    : null;
}
