/**
 * Call `listener` before the page is printed and after. A browser's own print announces itself by events; print media
 * that a program emulates (nbconvert's webpdf) only changes the media query.
 */
export function watchPrint(view: Window, listener: (printing: boolean) => void, signal: AbortSignal) {
  const media = view.matchMedia("print");
  let printing = false;
  const become = (now: boolean) => {
    if (now === printing) return;
    printing = now;
    listener(now);
  };
  view.addEventListener("beforeprint", () => become(true), { signal });
  view.addEventListener("afterprint", () => become(media.matches), { signal });
  media.addEventListener("change", ({ matches }) => become(matches), { signal });
  become(media.matches);
}
