export interface Filter {
  matches(metric: string): boolean;
  /** Why the text is not a valid regular expression. It is then searched as plain text. */
  problem: string | null;
}

/** Match names that contain a text or match a regular expression, ignoring case. */
export function parseFilter(text: string): Filter {
  const plain = text.trim().toLowerCase();
  if (!plain) return { matches: () => true, problem: null };
  try {
    const pattern = new RegExp(text.trim(), "iu");
    return { matches: metric => pattern.test(metric), problem: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // the browser's message repeats the whole expression before the reason
    const reason = error.message.split(": ").at(-1);
    return {
      matches: metric => metric.toLowerCase().includes(plain),
      problem: `Searched as text: ${reason?.toLowerCase()}`,
    };
  }
}

/** Show a filter's text in its field, and the problem with it, or else `hint`, as the title. */
export function showFilter(field: HTMLInputElement, text: string, hint: string) {
  if (field.value !== text) field.value = text;
  const { problem } = parseFilter(text);
  field.setAttribute("aria-invalid", String(problem !== null));
  field.title = problem ?? hint;
}
