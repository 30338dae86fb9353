interface LineRow {
  run: string;
  color: string;
  dash: readonly number[];
  mark: string;
  low?: number;
}

/** What a data set needs to be told of to hold other rows. */
export interface RowChange {
  added: object[];
  /** Null is all that it holds. */
  removed: object[] | null;
}

/**
 * The rows that Vega holds of a chart's lines. They are ours to write into: told that rows are gone and others are there,
 * Vega would make all that it knows of each anew, which takes three times as long as to look at the same ones again.
 */
export class VegaRows {
  #lines = new Map<string, object[]>();
  #known = false;

  /** Vega may hold anything: next time it gets all rows anew. */
  forget() {
    this.#known = false;
  }

  /** Writes the rows, which come line after line, over those that are held. */
  update(rows: readonly LineRow[]): RowChange {
    const before = this.#known ? this.#lines : new Map<string, object[]>();
    const added: object[] = [];
    const removed: object[] = [];
    const lines = new Map<string, object[]>();
    for (const [key, line] of splitLines(rows)) {
      const held = before.get(key) ?? [];
      for (const row of held.splice(line.length)) removed.push(row);
      for (const [i, row] of line.entries()) {
        if (i < held.length) Object.assign(held[i], row);
        else {
          held.push({ ...row });
          added.push(held[i]);
        }
      }
      lines.set(key, held);
    }
    for (const [key, held] of before) if (!lines.has(key)) for (const row of held) removed.push(row);
    const change = { added, removed: this.#known ? removed : null };
    [this.#lines, this.#known] = [lines, true];
    return change;
  }
}

/**
 * By what sets rows apart in Vega, which draws points of one x in the order in which they came to be what they are: none may
 * become one of a line that is not new.
 */
function splitLines(rows: readonly LineRow[]): Map<string, LineRow[]> {
  const lines = new Map<string, LineRow[]>();
  let line: LineRow[] = [];
  for (const [i, row] of rows.entries()) {
    if (i === 0 || !sameLine(row, rows[i - 1])) {
      const key = JSON.stringify([row.run, row.color, row.dash, row.mark, row.low === undefined]);
      line = lines.get(key) ?? [];
      lines.set(key, line);
    }
    line.push(row);
  }
  return lines;
}

function sameLine(a: LineRow, b: LineRow): boolean {
  return a.run === b.run && a.mark === b.mark && (a.low === undefined) === (b.low === undefined);
}
