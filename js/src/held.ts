interface Row {
  run: string;
  color: string;
  dash: readonly number[];
}

/** What a data set needs to be told of to hold other rows. */
export interface Change {
  added: object[];
  /** Null is all that it holds. */
  removed: object[] | null;
}

/**
 * The rows that Vega holds of a chart's lines. They are ours to write into: told that rows are gone and others are there,
 * Vega would do everything about each of them anew, five times as slowly as when it looks at the same ones again.
 */
export class HeldRows {
  #lines = new Map<string, object[]>();
  #known = false;

  /** Vega may hold anything: next time it gets all rows anew. */
  forget() {
    this.#known = false;
  }

  /** Writes the rows, which come line after line, over those that are held. */
  become(rows: readonly Row[]): Change {
    const before = this.#known ? this.#lines : new Map<string, object[]>();
    const added: object[] = [];
    const removed: object[] = [];
    const lines = new Map<string, object[]>();
    for (const [key, line] of split(rows)) {
      const held = before.get(key) ?? [];
      for (const row of held.splice(line.length)) removed.push(row);
      for (const [i, row] of line.entries()) {
        if (i < held.length) overwrite(held[i], row);
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

/** By what makes a line of its own of rows. */
function split(rows: readonly Row[]): Map<string, Row[]> {
  const lines = new Map<string, Row[]>();
  let line: Row[] = [];
  for (const [i, row] of rows.entries()) {
    const { run, color, dash } = row;
    if (i === 0 || run !== rows[i - 1].run) {
      const key = JSON.stringify([run, color, dash]);
      line = lines.get(key) ?? [];
      lines.set(key, line);
    }
    line.push(row);
  }
  return lines;
}

function overwrite(held: object, row: object) {
  for (const name in held) if (!(name in row)) Object.assign(held, { [name]: undefined });
  Object.assign(held, row);
}
