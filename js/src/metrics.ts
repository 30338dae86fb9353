import { escapeRegExp } from "./text.ts";

/** The group of system metrics, which are recorded automatically; the prefix is set in `src/trackbook/metrics.py`. */
export const SYSTEM_GROUP = "@system";

export function isSystem(metric: string): boolean {
  return metric.startsWith(`${SYSTEM_GROUP}/`);
}

/** Return the metrics that the user logged, without system metrics. */
export function logged(metrics: readonly string[]): string[] {
  return metrics.filter(metric => !isSystem(metric));
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

/** Match a name against a glob: `*` matches any text, every other character itself. */
export function globMatches(glob: string, name: string): boolean {
  const literal = glob.split("*").map(escapeRegExp);
  return new RegExp(`^${literal.join(".*")}$`, "su").test(name);
}
