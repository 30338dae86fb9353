/** The group of system metrics, which are recorded by themselves: `_types.py` has what their names begin with. */
export const SYSTEM_GROUP = "@system";

export function isSystem(metric: string): boolean {
  return metric.startsWith(`${SYSTEM_GROUP}/`);
}

/** What was logged, without system metrics. */
export function logged(metrics: readonly string[]): string[] {
  return metrics.filter(metric => !isSystem(metric));
}
