// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { watchPrint } from "../../src/ui/print.ts";

/** A window whose print media can be switched. */
function fakeWindow() {
  const media = Object.assign(new EventTarget(), { matches: false });
  const view = Object.assign(new EventTarget(), { matchMedia: () => media }) as unknown as Window;
  const emulate = (matches: boolean) => {
    media.matches = matches;
    media.dispatchEvent(Object.assign(new Event("change"), { matches }));
  };
  return { view, media, emulate };
}

function watch(view: Window) {
  const [calls, ends] = [[] as boolean[], new AbortController()];
  watchPrint(view, printing => calls.push(printing), ends.signal);
  return { calls, ends };
}

test("a print is announced once, by the event or the media, and its end too", () => {
  const { view, emulate } = fakeWindow();
  const { calls } = watch(view);
  view.dispatchEvent(new Event("beforeprint"));
  emulate(true);
  emulate(false);
  view.dispatchEvent(new Event("afterprint"));
  expect(calls).toEqual([true, false]);
});

test("emulated print media stay until they end, whatever is printed meanwhile", () => {
  const { view, emulate } = fakeWindow();
  const { calls } = watch(view);
  emulate(true);
  view.dispatchEvent(new Event("beforeprint"));
  view.dispatchEvent(new Event("afterprint"));
  expect(calls).toEqual([true]);
});

test("a page that is drawn for print from the beginning is printing", () => {
  const { view, media } = fakeWindow();
  media.matches = true;
  expect(watch(view).calls).toEqual([true]);
});

test("after its view a listener hears nothing", () => {
  const { view, emulate } = fakeWindow();
  const { calls, ends } = watch(view);
  ends.abort();
  emulate(true);
  view.dispatchEvent(new Event("beforeprint"));
  expect(calls).toEqual([]);
});
