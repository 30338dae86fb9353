/**
 * A page that JupyterLab reloads while its kernel is slow may render outputs before it has the kernel's widgets. It then
 * writes "Error displaying widget" in their place, and never looks again. The note behind a board's snapshot finds them.
 */
const LOST = ":scope > .jp-OutputArea-output.jupyter-widgets";
const MESSAGE = "Error displaying widget";

/** Return the places of a session's boards that were given up, emptied for a board to be drawn there. */
export function reclaimLostOutputs(session: string): HTMLElement[] {
  const notes = document.querySelectorAll<HTMLElement>(".tb-page[data-trackbook-session]");
  return [...notes].flatMap(note => {
    if (note.dataset.trackbookSession !== session) return [];
    const output = note.closest(".jp-OutputArea-child")?.previousElementSibling?.previousElementSibling;
    const place = output?.querySelector<HTMLElement>(LOST);
    if (!place?.textContent?.startsWith(MESSAGE)) return [];
    place.classList.remove("jupyter-widgets"); // by which the note's rules hide a lost widget
    place.replaceChildren();
    return [place];
  });
}
