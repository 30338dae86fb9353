export interface Filter {
  matches(metric: string): boolean;
  /** Why the text is not a valid regular expression. It is then searched as plain text. */
  problem: string | null;
}

const MOST_TRIES = 1e7; // of an expression at one name: some 50 ms

/**
 * Match names that contain a text or match a regular expression, ignoring case. The text may come from a saved notebook,
 * and the browser's expressions go back over what they matched: one that could take long is searched as text.
 */
export function parseFilter(text: string): Filter {
  const plain = text.trim().toLowerCase();
  if (!plain) return { matches: () => true, problem: null };
  const contains = (metric: string) => metric.toLowerCase().includes(plain);
  try {
    const pattern = new RegExp(text.trim(), "iu");
    const repetitions = countRepetitions(text.trim());
    if (repetitions === Number.POSITIVE_INFINITY)
      return { matches: contains, problem: "Searched as text: a repetition of repetitions or alternatives" };
    const isQuick = (metric: string) => metric.length ** (repetitions + 1) <= MOST_TRIES;
    return { matches: metric => (isQuick(metric) ? pattern.test(metric) : contains(metric)), problem: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // the browser's message repeats the whole expression before the reason
    const reason = error.message.split(": ").at(-1);
    return { matches: contains, problem: `Searched as text: ${reason?.toLowerCase()}` };
  }
}

/** Count the repetitions and back references of a valid expression; infinite where one repeats another, or alternatives. */
function countRepetitions(pattern: string): number {
  const tokens = /\\[1-9k]|\\.|\[(?:\\.|[^\]\\])*\]|\(|\)|[*+|]|\{\d+(?:,\d*)?\}/gsu;
  const groups = [false]; // whether each open group repeats something, or has alternatives
  let [count, closed] = [0, false]; // the group that was closed by the token before
  let end = 0;
  for (const { 0: token, index } of pattern.matchAll(tokens)) {
    const repeats = token === "*" || token === "+" || token[0] === "{";
    if (repeats && closed && index === end) return Number.POSITIVE_INFINITY;
    closed = token === ")" && (groups.pop() ?? false);
    if (token === "(") groups.push(false);
    else if (repeats || token === "|" || closed) groups[groups.length - 1] = true;
    if (repeats || /^\\[1-9k]/.test(token)) count++;
    end = index + token.length;
  }
  return count;
}

/** Show a filter's text in its field, and the problem with it, or else `hint`, as the title. */
export function showFilter(field: HTMLInputElement, text: string, hint: string) {
  if (field.value !== text) field.value = text;
  const { problem } = parseFilter(text);
  field.setAttribute("aria-invalid", String(problem !== null));
  field.title = problem ?? hint;
}
