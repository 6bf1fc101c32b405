// A figure: title, chart, what its signs mean, the table behind it, where it is from, and what to do with it.
import type { ComponentChildren } from "preact";
import { Chart, Key } from "../charts/Chart";
import type { Mark, Spec } from "../charts/spec";
import type { Data } from "../lib/api";
import { number } from "../lib/cells";
import { Later } from "../lib/later";
import { address } from "../lib/route";
import { useWords, type Words } from "../lib/words";
import { Copy } from "./copy";

interface Props {
  title: string;
  /** What the figure is made from: its address and, of that, what it is. */
  url: string;
  data: Data;
  sql: string;
  /** What is drawn; or a picture that is made elsewhere, as the tiles are. */
  spec?: Spec;
  picture?: ComponentChildren;
  unit?: string;
  table: ComponentChildren;
  rows: number;
  note?: ComponentChildren;
  bounds?: boolean;
  /** Other indicators that the figure is made from. */
  more?: { id: string; url: string }[];
  level?: 2 | 3;
}

/** One sentence for those who do not see the chart: where it begins and ends. */
function summary(title: string, spec: Spec, words: Words): string {
  const { t } = words;
  const own = spec.marks.filter((m) => m.series === (spec.series[0] ?? m.series) && m.value !== null);
  const [first, last] = [own[0], own[own.length - 1]];
  if (!first || !last || typeof first.x === "string") {
    const said = (m: Mark) => `${m.label}: ${m.value === null ? m.said : number(m.value)}`;
    return `${title}. ${spec.marks.slice(0, 12).map(said).join("; ")}.`;
  }
  const values = { first: number(first.value ?? 0), from: first.label, last: number(last.value ?? 0), to: last.label };
  return t("figure.summary", { title: spec.series.length > 1 ? `${title}, ${first.series}` : title, ...values });
}

export function Figure({ title, url, data, sql, spec, picture, unit = spec?.unit, table, rows, note, bounds, more = [], level = 2 }: Props) {
  const words = useWords();
  const { t } = words;
  const Title = level === 2 ? "h2" : "h3";
  const drawable = Boolean(picture) || Boolean(spec?.marks.some((m) => m.value !== null));
  return (
    <figure class="figure">
      <Title class="figure-title">{title}</Title>
      {unit && <p class="figure-unit">{unit}</p>}
      {picture}
      {spec && drawable && (
        <>
          <Chart spec={spec} label={summary(title, spec, words)} />
          <Key spec={spec} bounds={bounds} />
        </>
      )}
      {!drawable && <p class="nochart">{t(rows > 0 ? "figure.allhidden" : "figure.empty")}</p>}
      {note && <div class="figure-note">{note}</div>}
      <details class="behind" open={!drawable}>
        <summary>
          {t("figure.table")} <span class="soft">({t("figure.table.rows", { n: rows })})</span>
        </summary>
        {/* It is long, and folded. */}
        {drawable ? <Later>{table}</Later> : table}
      </details>
      <figcaption>
        <span class="source">
          {t("figure.source")}: {t("figure.cite", { id: [data.indicator, ...more.map((m) => m.id)].join(", "), edition: data.edition, date: data.as_of })}{" "}
          {[data.indicator, ...more.map((m) => m.id)].map((id) => <a key={id} href={address(`/indicators/${id}`)}>{id}</a>)}
        </span>
        <Actions url={url} sql={sql} />
      </figcaption>
    </figure>
  );
}

/** An address of data with one more parameter. */
export function with_(url: string, parameter: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${parameter}`;
}

/** The buttons of a figure: the numbers as files, and how to have them again. */
export function Actions({ url, sql }: { url: string; sql: string }) {
  const { t } = useWords();
  return (
    <ul class="actions" aria-label={t("figure.actions")}>
      <li><a class="action" href={with_(url, "format=csv&bom=true")} data-plain={with_(url, "format=csv")} download aria-label={t("figure.download", { format: "CSV" })} onClick={csv}>{t("figure.csv")}</a></li>
      <li><a class="action" href={with_(url, "format=json")} target="_blank" rel="noopener" aria-label={t("figure.open", { format: "JSON" })}>{t("figure.json")}</a></li>
      <li><Copy text={sql} label={t("figure.sql")} /></li>
      <li><Copy text={location.origin + url} label={t("figure.url")} /></li>
    </ul>
  );
}

let bom: Promise<boolean> | null = null;

/** A file for a spreadsheet begins with a mark of its encoding, where the service has that; else it is the plain one. */
async function csv(event: MouseEvent) {
  const link = event.currentTarget as HTMLAnchorElement;
  if (bom !== null && (await bom)) return;
  event.preventDefault();
  bom ??= fetch(link.href, { method: "HEAD" }).then((r) => r.ok, () => false);
  const marked = await bom;
  save(marked ? link.href : (link.dataset.plain ?? link.href), `${link.pathname.split("/")[3] ?? "amanat"}.csv`);
}

/** Saves what is at an address under a name. */
export function save(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}
