export type Columns<Names extends readonly string[]> = Record<Names[number], Float64Array>;

/** Build columns by name; `column` makes each one from its index in `names`. */
export function makeColumns<Names extends readonly string[]>(
  names: Names,
  column: (i: number) => Float64Array,
) {
  return Object.fromEntries(names.map((name, i) => [name, column(i)])) as Columns<Names>;
}

export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
