/** Logged tables as their files have them, and as CSV. Pure. */
import { csvLine } from "../interact/csv.ts";

/** The cells of each column. */
export interface TableFile {
  columns: readonly { name: string; type: string }[];
  data: readonly (readonly unknown[])[];
}

// what Python writes as a number and JSON.parse does not read: not finite, or of more digits than a float has
const NO_FLOAT = /"(?:[^"\\]+|\\.)*"|-?(?:NaN|Infinity)|(?<![\w.+-])-?\d{16,}(?![\d.eE])/g;
const NOT_FINITE = /"(?:[^"\\]+|\\.)*"|-?(?:NaN|Infinity)/g;

/** Read the file of a table. Numbers that JavaScript would refuse or round are texts. */
export function readTableFile(text: string): TableFile {
  return JSON.parse(quoted(text, NO_FLOAT));
}

/** Return the file of a table as JSON that every program reads: numbers that are not finite are texts, all else is unchanged. */
export function strictJson(text: string): string {
  return quoted(text, NOT_FINITE);
}

function quoted(text: string, numbers: RegExp): string {
  return text.replace(numbers, found => (found.startsWith('"') ? found : `"${found}"`));
}

/** Write a table as CSV; of media the names of their files. */
export function tableCsv({ columns, data }: TableFile): string {
  const [first = []] = data;
  const names = csvLine(columns.map(({ name }) => name));
  const rows = first.map((_, row) =>
    csvLine(data.map((cells, column) => text(cells[row], columns[column].type))),
  );
  return [names, ...rows].join("");
}

function text(cell: unknown, type: string): string {
  if (typeof cell !== "object" || cell === null) return String(cell ?? "");
  const { file, caption } = cell as { file?: unknown; caption?: unknown };
  return type === "media" ? String(file ?? caption ?? "") : JSON.stringify(cell);
}
