// What the first page will ask for is asked for at once, while the page is still being made: what is read is kept by `get`, so the
// page finds it on its way.
import { get, type Definition, type Edition, type Editions, type Indicators } from "./api";
import { beginOwn } from "./early";
import { TOP, nationalUrl, yearUrl } from "./headline";
import { dataUrl, here } from "./route";
import { filtersOf, lastYear, viewOf } from "../pages/view";

/** Begins to read what the present address shows. A failure is left to the page, which meets it again. */
export function begin(): void {
  const route = here();
  const edition = route.query.get("edition");
  const id = /^\/indicators\/([A-Za-z0-9_-]+)$/.exec(route.path)?.[1]?.toUpperCase();
  void get("/v1/editions").catch(() => {});
  if (route.path === "/") void latest(TOP, edition).catch(() => {});
  if (route.path === "/indicators") void latest(null, edition).catch(() => {});
  if (route.path === "/quality") void quality(edition).catch(() => {});
  if (/^\/questions(\/[a-z0-9-]+)?$/.test(route.path)) beginOwn(`/v1${route.path}`);
  if (id) void indicator(id, edition).catch(() => {});
}

/** The edition as the page will ask for it: the latest has no number in the addresses of data. */
async function editionOf(asked: string | null): Promise<{ chosen: Edition | undefined; edition: string | null }> {
  const { editions, latest } = await get<Editions>("/v1/editions");
  const chosen = editions.find((e) => String(e.edition) === (asked ?? String(latest)));
  return { chosen, edition: chosen && chosen.edition !== latest ? asked : null };
}

/** The latest numbers of these indicators, or of all. */
async function latest(ids: string[] | null, asked: string | null): Promise<void> {
  const { indicators } = await get<Indicators>("/v1/indicators");
  const edition = asked && (await editionOf(asked)).edition;
  await Promise.all(indicators.filter((i) => ids?.includes(i.id) ?? true).map((i) => get(nationalUrl(i, edition))));
}

async function quality(asked: string | null): Promise<void> {
  const [{ indicators }, { chosen, edition }] = await Promise.all([get<Indicators>("/v1/indicators"), editionOf(asked)]);
  if (chosen) await Promise.all(indicators.map((i) => get(yearUrl(i.id, chosen, edition))));
}

async function indicator(id: string, asked: string | null): Promise<void> {
  const definition = await get<Definition>(`/v1/indicators/${id}`);
  const edition = asked && (await editionOf(asked)).edition;
  const filters = filtersOf(viewOf(here(), definition), definition);
  await Promise.all([get(dataUrl(id, filters, edition)), get(dataUrl(id, { from: lastYear(definition) }, edition))]);
}
