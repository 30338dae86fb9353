/** The group of system metrics, which are recorded automatically; the prefix is set in `src/trackbook/metrics.py`. */
export const SYSTEM_GROUP = "@system";

export function isSystem(metric: string): boolean {
  return metric.startsWith(`${SYSTEM_GROUP}/`);
}

/** Return the metrics that the user logged, without system metrics. */
export function logged(metrics: readonly string[]): string[] {
  return metrics.filter(metric => !isSystem(metric));
}

/**
 * Return a name as Vega shows it, which takes one that every object has as a property, such as `constructor`, for that property. A
 * space of no width makes it another text.
 */
export function literal(name: string): string {
  return name in {} ? `${name}\u200b` : name;
}

/** Return the entry of a record, which a name like `constructor` has only if it was put there. */
export function ownEntry<V>(record: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

export function splitMetric(metric: string): { group: string; short: string } {
  const slash = metric.indexOf("/");
  return slash < 0
    ? { group: "", short: metric }
    : { group: metric.slice(0, slash), short: metric.slice(slash + 1) || metric };
}

/** Group metrics by their prefix, in order of first appearance; the default group comes first. */
export function groupMetrics(metrics: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>([["", []]]);
  for (const metric of metrics) {
    const { group } = splitMetric(metric);
    const members = groups.get(group);
    if (members) members.push(metric);
    else groups.set(group, [metric]);
  }
  if (!groups.get("")?.length) groups.delete("");
  return groups;
}

/**
 * Match a whole name against a glob: `*` matches any text, every other character itself. Takes time linear in the name
 * for each star, since a glob may come from a file.
 */
export function globMatches(glob: string, name: string): boolean {
  const [first, ...between] = glob.split("*");
  const last = between.pop();
  if (last === undefined) return glob === name;
  const end = name.length - last.length;
  let at = first.length;
  if (at > end || !name.startsWith(first) || !name.endsWith(last)) return false;
  for (const piece of between) {
    at = name.indexOf(piece, at); // at the first possible place, which leaves most text for the others
    if (at < 0 || at + piece.length > end) return false;
    at += piece.length;
  }
  return true;
}

const SMALLER = /loss|error|err|mse|rmse|mae|perplexity|ppl|nll|bpb|wer|cer|fid|latency|regret/;
const LARGER =
  /acc|accuracy|auc|auroc|f1|score|reward|return|precision|recall|map|iou|dice|bleu|rouge|psnr|ssim|r2/;
const WORD = (words: RegExp) => new RegExp(`(^|[^a-z])(top_?\\d+_?)?(${words.source})($|[^a-z])`, "i");
const [IS_SMALLER, IS_LARGER] = [WORD(SMALLER), WORD(LARGER)];

/** Return whether small or large values of a metric are better, according to its name; null if unknown. */
export function goalByName(metric: string): "min" | "max" | null {
  if (isSystem(metric)) return null;
  return IS_SMALLER.test(metric) ? "min" : IS_LARGER.test(metric) ? "max" : null;
}
