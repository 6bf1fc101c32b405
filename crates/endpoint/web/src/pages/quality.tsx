// How certain, how complete and how recent the numbers are.
import { useEffect, useState } from "preact/hooks";
import { When } from "../parts/state";
import { Scroll } from "../parts/tables";
import { CellText, StatusMark } from "../parts/value";
import { get, useAll, useGet, type Data, type Definition, type Edition, type Editions, type Grid, type Indicators, type Text } from "../lib/api";
import { byPeriod, cells, isFiscal, isYear, number, STATUSES, tally, type Point } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { mainMeasure, yearUrl } from "../lib/headline";
import { address } from "../lib/route";
import { useWords } from "../lib/words";

interface CodeList {
  name: string;
  version: string;
  source: string;
  provisional: boolean;
  codes: number;
  href: string;
}

export function Quality() {
  const { t } = useWords();
  const { chosen } = useEdition();
  const list = useGet<Indicators>("/v1/indicators");
  return (
    <article class="page">
      <div class="lede">
        <h1>{t("quality.title")}</h1>
        <p>{t("quality.lede")}</p>
      </div>
      <When loaded={list} height={700}>{(value) => chosen && <Cells ids={value.indicators.map((i) => i.id)} chosen={chosen} />}</When>
      <EditionList />
      <Questionnaires />
      <Calendar />
      <Lists />
    </article>
  );
}

/** All cells of the latest year, by status, and where a code is unknown. */
function Cells({ ids, chosen }: { ids: string[]; chosen: Edition }) {
  const words = useWords();
  const { t } = words;
  const { asked } = useEdition();
  const year = chosen.as_of.slice(0, 4);
  const data = useAll<Data[]>(ids.map((id) => yearUrl(id, chosen, asked)));
  const definitions = useAll<Definition[]>(ids.map((id) => `/v1/indicators/${id}`));
  return (
    <When loaded={data} height={600}>
      {(all) => {
        const rows = ids.map((id, n) => ({ id, points: all[n] ? cells(all[n]) : [] }));
        const counts = rows.map((r) => tally(r.points));
        const used = STATUSES.filter((s) => counts.some((c) => c.has(s)));
        return (
          <>
            <section>
              <h2 class="rule">{t("quality.status")}</h2>
              <p class="soft">{t("quality.status.note", { year })}</p>
              <Scroll label={t("quality.status")}>
                <table class="numbers statuses">
                  <caption class="unseen">{t("quality.status")}</caption>
                  <thead>
                    <tr>
                      <th scope="col">{t("indicators.name")}</th>
                      <th scope="col">{t("quality.numbers")}</th>
                      <th scope="col">{t("quality.share")}</th>
                      {used.map((s) => <th scope="col" key={s}>{s === "A" ? t("status.A") : <StatusMark status={s} />}</th>)}
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((r, n) => (
                      <tr key={r.id}>
                        <th scope="row"><a href={address(`/indicators/${r.id}`)}>{r.id}</a></th>
                        <td class="n">{number(r.points.length)}</td>
                        <td><Stack counts={counts[n] ?? new Map()} all={r.points.length} /></td>
                        {used.map((s) => <td key={s} class="n">{counts[n]?.get(s) ? number(counts[n]?.get(s) ?? 0) : ""}</td>)}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
            </section>
            <When loaded={definitions} height={200}>{(defined) => <Unknown rows={rows} definitions={defined} />}</When>
          </>
        );
      }}
    </When>
  );
}

/** A bar of what is shown, doubtful and hidden; the numbers stand beside it. */
function Stack({ counts, all }: { counts: Map<string, number>; all: number }) {
  const of = (...statuses: string[]) => statuses.reduce((sum, s) => sum + (counts.get(s) ?? 0), 0);
  const parts = [
    { look: "shown", n: of("A", "B", "K", "W") },
    { look: "doubtful", n: of("U", "P") },
    { look: "hidden", n: of("Q") },
    { look: "absent", n: of("L", "M") },
  ];
  let x = 0;
  return (
    <svg class="stack" viewBox="0 0 120 12" width="120" height="12" aria-hidden="true">
      {parts.map(({ look, n }) => {
        const width = all ? (n / all) * 120 : 0;
        x += width;
        return <rect key={look} class={look} x={x - width} y="0" width={width} height="12" />;
      })}
      <rect class="frame" x="0.5" y="0.5" width="119" height="11" />
    </svg>
  );
}

/** Units whose code is unknown, of each dimension that says so. */
function Unknown({ rows, definitions }: { rows: { id: string; points: Point[] }[]; definitions: Definition[] }) {
  const words = useWords();
  const { t } = words;
  const found = rows.flatMap(({ id, points }, n) => {
    const definition = definitions[n];
    if (!definition) return [];
    const measure = mainMeasure(id, definition.measures);
    const own = points.filter((p) => p.measure === measure && p.period !== "_X" && !isFiscal(p.period) && p.unit !== "percent" && p.unit !== "rate");
    const years = own.filter((p) => isYear(p.period));
    const now = (years.length ? years : own).map((p) => p.period).sort(byPeriod).at(-1);
    const at = own.filter((p) => p.period === now);
    const total = at.find((p) => Object.values(p.codes).every((c) => c === "_T"));
    return definition.dimensions.flatMap((d) => {
      const unknown = at.find((p) => p.codes[d.name] === "_X" && Object.entries(p.codes).every(([name, code]) => name === d.name || code === "_T"));
      return unknown ? [{ id, name: words.of(d.title), period: now ?? "", unknown, total }] : [];
    });
  });
  return (
    <section>
      <h2 class="rule">{t("quality.unknown")}</h2>
      <p class="soft">{t("quality.unknown.note")}</p>
      <Scroll label={t("quality.unknown")}>
        <table class="numbers">
          <caption class="unseen">{t("quality.unknown")}</caption>
          <thead>
            <tr>
              {(["indicators.name", "quality.dimension", "word.period", "quality.unknown.n", "quality.of"] as const).map((key) => <th scope="col" key={key}>{t(key)}</th>)}
            </tr>
          </thead>
          <tbody>
            {found.map((f) => (
              <tr key={f.id + f.name}>
                <th scope="row"><a href={address(`/indicators/${f.id}`)}>{f.id}</a></th>
                <td>{f.name}</td>
                <td>{words.period(f.period)}</td>
                <td><CellText point={f.unknown} /></td>
                <td><CellText point={f.total} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function EditionList() {
  const { t } = useWords();
  const { latest } = useEdition();
  const editions = useGet<Editions>("/v1/editions");
  const [archive, setArchive] = useState(false);
  useEffect(() => {
    // An archive is offered where the service has one.
    if (latest) fetch(`/v1/editions/${latest.edition}/archive.zip`, { method: "HEAD" }).then((r) => setArchive(r.ok), () => setArchive(false));
  }, [latest?.edition]);
  return (
    <section>
      <h2 class="rule">{t("quality.editions")}</h2>
      <When loaded={editions} height={120}>
        {(value) => (
          <Scroll label={t("quality.editions")}>
            <table class="numbers">
              <caption class="unseen">{t("quality.editions")}</caption>
              <thead>
                <tr>
                  {(["quality.edition", "quality.asof", "quality.published", "quality.method"] as const).map((key) => <th scope="col" key={key}>{t(key)}</th>)}
                  {archive && <th scope="col">{t("quality.archive")}</th>}
                </tr>
              </thead>
              <tbody>
                {[...value.editions].reverse().map((e) => (
                  <tr key={e.edition}>
                    <th scope="row"><a href={address("/indicators", { edition: e.edition === value.latest ? null : String(e.edition) })}>{e.edition}</a></th>
                    <td class="n">{e.as_of}</td>
                    <td class="n"><bdi dir="ltr">{e.published_at.replace("T", " ").slice(0, 16)} UTC</bdi></td>
                    <td class="n">{e.methodology ?? "·"}</td>
                    {archive && <td><a href={`/v1/editions/${e.edition}/archive.zip`} download>ZIP</a></td>}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </When>
    </section>
  );
}

/** Forms of others that are filled from an edition. */
function Questionnaires() {
  const { t, of } = useWords();
  const listed = useGet<{ questionnaires: { id: string; title: Text; href: string }[] }>("/v1/questionnaires");
  const { asked } = useEdition();
  const file = (href: string, format: string) => `${href}?format=${format}${asked ? `&edition=${asked}` : ""}`;
  return (
    <section>
      <h2 class="rule">{t("quality.forms")}</h2>
      <p class="soft">{t("quality.forms.note")}</p>
      <When loaded={listed} height={120}>
        {(value) => (
          <ul class="forms">
            {value.questionnaires.map((form) => (
              <li key={form.id}>
                {of(form.title)}{" "}
                <a href={file(form.href, "xlsx")} download>XLSX</a> <a href={file(form.href, "csv")} download>CSV</a>
              </li>
            ))}
          </ul>
        )}
      </When>
    </section>
  );
}

/** When the next editions come: by the service's calendar where it has one, as it writes it. */
function Calendar() {
  const { t } = useWords();
  const [listed, setListed] = useState<Grid | null>(null);
  useEffect(() => {
    get<Grid>("/v1/calendar").then((value) => Array.isArray(value.rows) && setListed(value), () => setListed(null));
  }, []);
  return (
    <section>
      <h2 class="rule">{t("quality.calendar")}</h2>
      {listed ? (
        <Scroll label={t("quality.calendar")}>
          <table class="numbers">
            <caption class="unseen">{t("quality.calendar")}</caption>
            <thead><tr>{listed.columns.map((c) => <th scope="col" key={c.name}>{c.name}</th>)}</tr></thead>
            <tbody>{listed.rows.map((r, n) => <tr key={n}>{r.map((v, m) => <td key={m}>{v === null ? "·" : String(v)}</td>)}</tr>)}</tbody>
          </table>
        </Scroll>
      ) : (
        <p>{t("quality.calendar.off")}</p>
      )}
    </section>
  );
}

function Lists() {
  const { t } = useWords();
  const lists = useGet<{ code_lists: CodeList[] }>("/v1/code-lists");
  return (
    <section>
      <h2 class="rule">{t("quality.lists")}</h2>
      <When loaded={lists} height={300}>
        {({ code_lists: all }) => (
          <>
            <p class="soft">{t("quality.lists.note", { n: all.filter((l) => l.provisional).length, all: all.length })}</p>
            <Scroll label={t("quality.lists")}>
              <table>
                <caption class="unseen">{t("quality.lists")}</caption>
                <thead>
                  <tr>
                    {(["quality.list", "quality.codes", "word.status", "quality.source"] as const).map((key) => <th scope="col" key={key}>{t(key)}</th>)}
                  </tr>
                </thead>
                <tbody>
                  {all.map((l) => (
                    <tr key={l.name}>
                      <th scope="row"><a href={l.href} target="_blank" rel="noopener"><code>{l.name}</code></a></th>
                      <td class="n">{l.codes}</td>
                      <td>{l.provisional && <StatusMark status="P" />}</td>
                      <td lang="en" dir="ltr">{l.source}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          </>
        )}
      </When>
    </section>
  );
}
