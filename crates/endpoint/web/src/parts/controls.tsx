// What an indicator's page can be turned to. Each control is a parameter of the address; what is not published together is
// not offered together.
import { useId } from "preact/hooks";
import type { Data, Definition } from "../lib/api";
import { isFiscal } from "../lib/cells";
import { changed, go } from "../lib/route";
import { measureName, useWords } from "../lib/words";
import { frequencies, grids, together, type View } from "../pages/view";

export function Controls({ definition, view, year }: { definition: Definition; view: View; year: Data }) {
  const words = useWords();
  const { t } = words;
  const turn = (query: Record<string, string | null>) => go(changed(query), true);
  const published = grids(year, view.measure);
  const chosen = Object.keys(view.only);
  const years = [...new Set(definition.periods.filter((p) => p !== "_X" && !isFiscal(p)).map((p) => p.slice(0, 4)))];
  const known = frequencies(definition);
  const moved = view.by || chosen.length || view.from || view.to || view.freq !== (known[0] ?? "y");
  return (
    <form class="controls" aria-label={t("indicator.choose")} onSubmit={(event) => event.preventDefault()}>
      {definition.measures.length > 1 && (
        <Choice label={t("indicator.measure")} value={view.measure} set={(measure) => turn({ measure, by: firstBy(year, measure) })}>
          {definition.measures.map((m) => ({ value: m, name: measureName(m, words) }))}
        </Choice>
      )}
      {definition.dimensions.length > 0 && (
        <Choice label={t("indicator.by")} value={view.by} set={(by) => turn({ by, [by]: null })}>
          {[
            ...(firstBy(year, view.measure) ? [] : [{ value: "", name: t("indicator.by.none") }]),
            ...definition.dimensions
              .filter((d) => together(published, [d.name, ...chosen.filter((c) => c !== d.name)]))
              .map((d) => ({ value: d.name, name: words.of(d.title) })),
          ]}
        </Choice>
      )}
      {definition.dimensions
        .filter((d) => d.name !== view.by && d.codes.length <= 60)
        .filter((d) => together(published, [d.name, ...(view.by ? [view.by] : []), ...chosen.filter((c) => c !== d.name)]))
        .map((d) => (
          <Choice key={d.name} label={t("indicator.only", { name: words.of(d.title) })} value={view.only[d.name] ?? ""} set={(code) => turn({ [d.name]: code })}>
            {[{ value: "", name: t("word.all") }, ...d.codes.map((c) => ({ value: c.code, name: words.of(c) }))]}
          </Choice>
        ))}
      {known.length > 1 && (
        <Choice label={t("indicator.freq")} value={view.freq} set={(freq) => turn({ freq: freq === known[0] ? null : freq })}>
          {known.map((freq) => ({ value: freq, name: t(`indicator.freq.${freq}`) }))}
        </Choice>
      )}
      <Choice label={t("indicator.from")} value={view.from} set={(from) => turn({ from })}>
        {[{ value: "", name: years[0] ?? "" }, ...years.slice(1).filter((y) => !view.to || y <= view.to).map((y) => ({ value: y, name: y }))]}
      </Choice>
      <Choice label={t("indicator.to")} value={view.to} set={(to) => turn({ to })}>
        {[{ value: "", name: years.at(-1) ?? "" }, ...years.slice(0, -1).filter((y) => !view.from || y >= view.from).reverse().map((y) => ({ value: y, name: y }))]}
      </Choice>
      {moved ? <a class="action" href={location.pathname + (words.lang === "ur" ? "?lang=ur" : "")}>{t("indicator.reset")}</a> : null}
    </form>
  );
}

/** The dimension that a measure must be broken down by, where it has no total. */
function firstBy(year: Data, measure: string): string | null {
  const published = grids(year, measure);
  return published.some((grid) => grid.size === 0) ? null : ([...(published[0] ?? [])][0] ?? null);
}

function Choice({ label, value, set, children }: { label: string; value: string; set: (value: string) => void; children: { value: string; name: string }[] }) {
  const id = useId();
  return (
    <div class="choice">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => set(event.currentTarget.value)}>
        {children.map((o) => <option key={o.value} value={o.value}>{o.name}</option>)}
      </select>
    </div>
  );
}
