/** The side of a viewer within its frame, which has no origin, no network and no other script. */
import type { DrawCall, FrameAnswer, Hello } from "./messages.ts";

/** Draw a file into a place. What it throws is shown to the reader. */
export type Draw = (place: HTMLElement, call: DrawCall) => unknown;

/** Draw what the board sends, one file after the other, and answer when it is drawn. */
export function serveViewer(draw: Draw) {
  const place = document.getElementById("place") as HTMLElement;
  forbidNavigation();
  // the wheel scrolls the board until the reader has entered the frame
  const keep = (event: Event) => !document.hasFocus() && event.stopImmediatePropagation();
  addEventListener("wheel", keep, { capture: true });
  let queue = Promise.resolve();
  addEventListener("message", ({ source, data }: MessageEvent<DrawCall | Hello>) => {
    if (source !== parent) return;
    if ("hello" in data) say({ viewer: "ready" });
    else queue = queue.then(() => answer(place, draw, data));
  });
}

async function answer(place: HTMLElement, draw: Draw, call: DrawCall) {
  const { ground, text, font, dark } = call.look;
  Object.assign(document.body.style, { background: ground, color: text, fontFamily: font });
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  place.setAttribute("aria-label", call.name);
  try {
    await draw(place, call);
    say({ viewer: "drawn", id: call.id });
  } catch (error) {
    say({ viewer: "drawn", id: call.id, problem: (error as Error)?.message ?? String(error) });
  }
}

function say(answer: FrameAnswer) {
  parent.postMessage(answer, "*");
}

/** Keep links of a file from leading the frame elsewhere; its policy cannot. */
function forbidNavigation() {
  window.open = () => null;
  const stop = (event: Event) => {
    if (event.composedPath().some(each => each instanceof Element && /^(a|area|form)$/i.test(each.localName)))
      event.preventDefault();
  };
  for (const kind of ["click", "auxclick", "submit"]) addEventListener(kind, stop, { capture: true });
}

export function jsonOf({ data }: DrawCall): Record<string, unknown> {
  const value = JSON.parse(new TextDecoder().decode(data));
  if (typeof value !== "object" || value === null) throw new Error("it is not an object of JSON");
  return value;
}
