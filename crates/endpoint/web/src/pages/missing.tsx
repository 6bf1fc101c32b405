// An address at which nothing is published says so, and where to go on.
import { address } from "../lib/route";
import { useWords } from "../lib/words";
import type { Key } from "../messages";

const ELSEWHERE: [path: string, name: Key][] = [
  ["/", "nav.overview"],
  ["/indicators", "nav.indicators"],
  ["/sql", "nav.sql"],
  ["/about", "nav.about"],
];

export function Missing({ id }: { id: string }) {
  const { t } = useWords();
  return (
    <div class="page lede">
      <h1>{id ? t("indicator.unknown", { id }) : t("missing.title")}</h1>
      <p>{t("missing.text", { path: location.pathname })}</p>
      <ul class="plain">
        {ELSEWHERE.map(([path, name]) => <li key={path}><a href={address(path)}>{t(name)}</a></li>)}
      </ul>
    </div>
  );
}
