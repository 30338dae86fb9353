export interface Filter {
  matches(metric: string): boolean;
  /** Why the text is no regular expression; it is then looked for as it stands. */
  problem: string | null;
}

/** Metrics that contain a text, or match a regular expression, whatever their case. */
export function parseFilter(text: string): Filter {
  const plain = text.trim().toLowerCase();
  if (!plain) return { matches: () => true, problem: null };
  try {
    const pattern = new RegExp(text.trim(), "iu");
    return { matches: metric => pattern.test(metric), problem: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // the browser's message repeats the whole expression, and the reason stands behind it
    const reason = error.message.split(": ").at(-1);
    return {
      matches: metric => metric.toLowerCase().includes(plain),
      problem: `Searched as text: ${reason?.toLowerCase()}`,
    };
  }
}

/** Shows a filter's text in its field, and there, in place of `hint`, what is wrong with it. */
export function showFilter(field: HTMLInputElement, text: string, hint: string) {
  if (field.value !== text) field.value = text;
  const { problem } = parseFilter(text);
  field.setAttribute("aria-invalid", String(problem !== null));
  field.title = problem ?? hint;
}
