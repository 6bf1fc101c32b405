// What the numbers are, how people are protected in them, how to read and to cite them.
import { useGet, type Editions } from "../lib/api";
import { STATUSES } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { useWords } from "../lib/words";
import type { Key } from "../messages";
import { StatusMark } from "../parts/value";

export function About() {
  const { t } = useWords();
  const { chosen } = useEdition();
  const editions = useGet<Editions>("/v1/editions");
  const version = (editions.state === "ready" && editions.value.editions.at(-1)?.methodology) || "…";
  return (
    <article class="page prose">
      <div class="lede">
        <h1>{t("about.title")}</h1>
        <p>{t("about.lede")}</p>
      </div>
      <h2 class="rule">{t("about.counted.title")}</h2>
      <p>{t("about.counted")}</p>
      <h2 class="rule">{t("about.protect.title")}</h2>
      <ol>
        {(["floor", "noise", "same", "hidden", "exact"] as const).map((name) => <li key={name}>{t(`about.protect.${name}`)}</li>)}
      </ol>
      <h2 class="rule">{t("about.read.title")}</h2>
      <p>{t("about.read")}</p>
      <dl class="rules signs">
        <div><dt><bdi dir="ltr" class="n">0</bdi></dt><dd>{t("status.0")}</dd></div>
        <div><dt><span class="nothing">·</span></dt><dd>{t("status.none")}</dd></div>
        {STATUSES.filter((s) => s !== "A" && s !== "K" && s !== "W").map((s) => (
          <div key={s}>
            <dt><StatusMark status={s} /></dt>
            <dd>{t(`status.${s}.why` as Key)}</dd>
          </div>
        ))}
      </dl>
      <h2 class="rule">{t("about.claim.title")}</h2>
      <p>{t("about.claim", { version })}</p>
      {chosen && (
        <>
          <h2 class="rule">{t("about.cite.title")}</h2>
          <p class="cite">{t("about.cite", { edition: chosen.edition, date: chosen.as_of })}</p>
        </>
      )}
      <h2 class="rule">{t("about.reader.title")}</h2>
      <p>{t("about.reader")}</p>
      <h2 class="rule">{t("about.machine.title")}</h2>
      <ul class="machine" dir="ltr">
        {["/v1/indicators", "/v1/editions", "/v1/code-lists", "/openapi.json", "/problems"].map((path) => (
          <li key={path}><a href={path} target="_blank" rel="noopener"><code>{path}</code></a></li>
        ))}
      </ul>
    </article>
  );
}
