// Questions in SQL: asked, stopped, and the schema that they are about.
import { problemOf, type Cell, type Grid } from "./api";
import { renewed, session } from "./session";

/** An answer: a grid with notes on what should be known of it. */
export interface Answer extends Grid {
  notes?: { code?: string; detail?: string; message?: string; hint?: string }[];
}

export interface Question {
  sql: string;
  companions: boolean;
  /** Values of `$1`, `$2`, …. */
  params?: (string | number | boolean)[];
  /** Goes into the header of this one request and nowhere else. */
  key: string | null;
  /** Whether the account that is signed in asks, where no key does. */
  account: boolean;
}

/** Puts a question. A refusal is thrown as the problem that it is. */
export async function ask(question: Question, accept: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json", accept };
  const own = question.account && !question.key;
  if (question.key) headers.authorization = `Bearer ${question.key}`;
  const csrf = own ? (await session()).csrf : undefined;
  if (csrf) headers["amanat-csrf"] = csrf;
  const params = question.params?.length ? { params: question.params } : {};
  const body = JSON.stringify({ sql: question.sql, ...params, ...(question.companions ? { companions: true } : {}) });
  const response = await fetch("/v1/sql", { method: "POST", headers, body, signal, cache: "no-store", credentials: own ? "same-origin" : "omit" });
  if (response.ok) return response;
  const problem = await problemOf(response);
  // The session that was there is over, or is another one.
  if (csrf && (problem.code === "key_needed" || problem.code === "other_origin")) await renewed();
  throw problem;
}

export interface Column {
  name: string;
  type: string;
  description: string;
  list: string;
}

/** Columns by table by schema. */
export type Schema = Map<string, Map<string, Column[]>>;

const CATALOGUE = "select table_schema, table_name, column_name, data_type, description, code_list from information_schema.columns";

/** What can be asked about, as the catalogue says it. */
export async function schema(signal: AbortSignal): Promise<Schema> {
  const response = await ask({ sql: CATALOGUE, companions: false, key: null, account: false }, "application/json", signal);
  const grid = (await response.json()) as Grid;
  const found: Schema = new Map();
  const text = (cell: Cell | undefined) => (cell === null || cell === undefined ? "" : String(cell));
  for (const row of grid.rows) {
    const [in_, table, name, type, description, list] = row.map(text);
    const tables = found.get(in_ ?? "") ?? new Map<string, Column[]>();
    found.set(in_ ?? "", tables);
    const columns = tables.get(table ?? "") ?? [];
    tables.set(table ?? "", columns);
    columns.push({ name: name ?? "", type: type ?? "", description: description ?? "", list: list ?? "" });
  }
  return found;
}
