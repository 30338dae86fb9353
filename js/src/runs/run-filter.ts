/** The filter of runs as a small language: `lr > 0.01 and optimizer = adam`. Any other text is searched for. */

import type { RunEntry, Scalar } from "../frames/runs-table.ts";
import { parseFilter } from "../ui/filter.ts";
import { formatConfigValue, type RunColumn, type RunColumns } from "./columns.ts";
import { findColumn, similarNames } from "./filter-names.ts";

export type RunTest = (entry: RunEntry, now: number) => boolean;

/** Why a text is not a filter, in words for the reader of the board. */
export class FilterProblem extends Error {
  override name = "FilterProblem";
}

export interface Token {
  kind: "word" | "text" | "operator" | "(" | ")" | ",";
  /** A word as written, or a text without its quotes. */
  value: string;
  from: number;
}

const TOKEN =
  /\s+|(<=|>=|==|!=|!~|[<>=~])|([(),])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s<>=!~(),"']+|!)/gu;
const KEYWORDS = new Set(["and", "or", "not", "in"]);

/** Split a filter into tokens. Throws a `FilterProblem` at a quote that is not closed. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index !== end) break;
    end += found[0].length;
    const [, operator, mark, double, single, word] = found;
    const from = found.index;
    if (operator) tokens.push({ kind: "operator", value: operator, from });
    else if (mark) tokens.push({ kind: mark as "(", value: mark, from });
    else if (word) tokens.push({ kind: "word", value: word, from });
    else if (double !== undefined || single !== undefined)
      tokens.push({ kind: "text", value: (double ?? single).replace(/\\(.)/g, "$1"), from });
  }
  if (end < text.length) throw new FilterProblem(`A quotation mark is not closed: ${text.slice(end)}`);
  return tokens;
}

/** Whether a text is meant as an expression: it compares something. */
export function isExpression(text: string): boolean {
  try {
    return tokensOf(text).some(
      (token, i, all) =>
        token.kind === "operator" || (i > 0 && isKeyword(token, "in") && all[i + 1]?.kind === "("),
    );
  } catch {
    return /[<>=~]/.test(text); // a quotation mark that is not closed yet
  }
}

/**
 * Parse a filter. A text that compares nothing, or one word like the run's name `lr=0.1` whose left side is not a
 * column, is searched for in name, id, group, tags, notes and state. Throws a `FilterProblem`.
 */
export function parseRunFilter(text: string, columns: RunColumns): RunTest {
  if (!text.trim()) return () => true;
  if (!isExpression(text)) return textTest(text);
  const tokens = tokensOf(text);
  const isOneWord = !/\s/.test(text.trim()) && tokens[0]?.kind === "word";
  if (isOneWord && !findColumn(columns, tokens[0].value) && tokens[1]?.kind !== "(") return textTest(text);
  return new Parser(tokens, columns).parse();
}

function textTest(text: string): RunTest {
  const { matches } = parseFilter(text);
  return ({ name, id, group, state, tags, notes, config }) =>
    [name, id, group ?? "", state, ...tags, notes ?? ""].some(matches) ||
    [...config.values()].some(value => typeof value === "string" && matches(value));
}

function isKeyword(token: Token | undefined, ...words: string[]): boolean {
  return token?.kind === "word" && words.includes(token.value.toLowerCase());
}

/** Recursive descent: `or` of `and` of `not`, parentheses and comparisons. */
class Parser {
  #at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly columns: RunColumns,
  ) {}

  parse(): RunTest {
    const test = this.#or();
    const rest = this.tokens[this.#at];
    if (rest) throw new FilterProblem(`Expected “and” or “or” before “${rest.value}”`);
    return test;
  }

  #takes(...words: string[]): boolean {
    if (!isKeyword(this.tokens[this.#at], ...words)) return false;
    this.#at++;
    return true;
  }

  #or(): RunTest {
    const parts = [this.#and()];
    while (this.#takes("or")) parts.push(this.#and());
    return parts.length === 1 ? parts[0] : (entry, now) => parts.some(part => part(entry, now));
  }

  #and(): RunTest {
    const parts = [this.#not()];
    while (this.#takes("and")) parts.push(this.#not());
    return parts.length === 1 ? parts[0] : (entry, now) => parts.every(part => part(entry, now));
  }

  #not(): RunTest {
    if (this.#takes("not")) {
      const test = this.#not();
      return (entry, now) => !test(entry, now);
    }
    if (this.tokens[this.#at]?.kind !== "(") return this.#comparison();
    this.#at++;
    const test = this.#or();
    if (this.tokens[this.#at++]?.kind !== ")") throw new FilterProblem("A parenthesis is not closed");
    return test;
  }

  #comparison(): RunTest {
    const column = this.#column();
    const operator = this.tokens[this.#at++];
    if (isKeyword(operator, "in")) return membership(column, this.#list());
    if (isKeyword(operator, "not") && this.#takes("in")) {
      const test = membership(column, this.#list());
      return (entry, now) => !test(entry, now);
    }
    if (operator?.kind !== "operator")
      throw new FilterProblem(`Expected =, !=, <, <=, >, >=, ~ or “in” after “${column.title}”`);
    return comparison(column, operator.value, this.#value(operator.value));
  }

  #column(): RunColumn {
    const first = this.tokens[this.#at++];
    if (first?.kind !== "word" && first?.kind !== "text")
      throw new FilterProblem(first ? `Expected a column before “${first.value}”` : "Expected a column");
    if (first.kind === "word" && KEYWORDS.has(first.value.toLowerCase()))
      throw new FilterProblem(`Expected a column before “${first.value}”`);
    const name = this.#statistic(first.value) ?? first.value;
    const column = findColumn(this.columns, name);
    if (column) return column;
    const like = similarNames(this.columns, name);
    throw new FilterProblem(
      `No column “${name}”${like.length ? `; did you mean ${like.join(" or ")}?` : ""}`,
    );
  }

  /** Read the rest of `max(val/acc)` and `max val/acc`. */
  #statistic(word: string): string | null {
    const kind = { min: "min", max: "max", last: "summary" }[word.toLowerCase()];
    if (!kind) return null;
    const [next, after] = [this.tokens[this.#at], this.tokens[this.#at + 1]];
    if (next?.kind === "(" && after) {
      if (this.tokens[this.#at + 2]?.kind !== ")") throw new FilterProblem("A parenthesis is not closed");
      this.#at += 3;
      return `${kind}.${after.value}`;
    }
    if (next?.kind !== "word" && next?.kind !== "text") return null;
    this.#at++;
    return `${kind}.${next.value}`;
  }

  #value(after: string): Token {
    const token = this.tokens[this.#at++];
    if (token?.kind === "word" || token?.kind === "text") return token;
    throw new FilterProblem(`Expected a value after “${after}”`);
  }

  #list(): Token[] {
    if (this.tokens[this.#at++]?.kind !== "(") throw new FilterProblem("Expected (a, b) after “in”");
    const values = [this.#value("(")];
    while (this.tokens[this.#at]?.kind === ",") {
      this.#at++;
      values.push(this.#value(","));
    }
    if (this.tokens[this.#at++]?.kind !== ")") throw new FilterProblem("A parenthesis is not closed");
    return values;
  }
}

const MISSING = new Set(["none", "null", "missing"]);

function isMissing(value: Scalar | undefined): boolean {
  return value === undefined || value === null || value === "";
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Return what a value is compared with: a number; of times in seconds a date (2026-11-29) or a duration (90s, 1.5h). */
function numberOf(column: RunColumn, text: string): number {
  const [, amount, unit] = /^([\d.]+)([smhd])$/.exec(text) ?? [];
  if (column.id === "duration" && unit) return Number(amount) * UNITS[unit];
  if (column.id === "started" && /^\d{4}-\d\d/.test(text)) return Date.parse(text) / 1000;
  return /^[-+−]?(\d|\.\d|inf)/i.test(text)
    ? Number(text.replace("−", "-").replace(/inf$/i, "Infinity"))
    : Number.NaN;
}

function equality(column: RunColumn, token: Token): RunTest {
  const text = token.value;
  const wanted = numberOf(column, text);
  const isNone = token.kind === "word" && MISSING.has(text.toLowerCase());
  const plain = text.toLowerCase();
  return (entry, now) => {
    if (column.id === "tags")
      return isNone ? !entry.tags.length : entry.tags.some(tag => tag.toLowerCase() === plain);
    const value = column.value(entry, now);
    if (isMissing(value)) return isNone;
    if (typeof value === "number")
      return (
        value === wanted || formatConfigValue(value) === text || (Number.isNaN(value) && plain === "nan")
      );
    return String(value).toLowerCase() === plain;
  };
}

function membership(column: RunColumn, tokens: readonly Token[]): RunTest {
  const tests = tokens.map(token => equality(column, token));
  return (entry, now) => tests.some(test => test(entry, now));
}

const ORDERS: Record<string, (a: number, b: number) => boolean> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function comparison(column: RunColumn, operator: string, token: Token): RunTest {
  const equals = equality(column, token);
  if (operator === "=" || operator === "==") return equals;
  if (operator === "!=") return (entry, now) => !equals(entry, now);
  if (operator === "~" || operator === "!~") {
    const { matches, problem } = parseFilter(token.value);
    if (problem) throw new FilterProblem(problem);
    const found = (entry: RunEntry, now: number) => matches(String(column.value(entry, now) ?? ""));
    return operator === "~" ? found : (entry, now) => !found(entry, now);
  }
  const holds = ORDERS[operator];
  const limit = numberOf(column, token.value);
  if (Number.isNaN(limit))
    throw new FilterProblem(`“${column.title} ${operator}” takes a number, not “${token.value}”`);
  return (entry, now) => {
    const value = column.value(entry, now);
    return typeof value === "number" && holds(value, limit);
  };
}
