// All indicators: a list to find one in.
import { useState } from "preact/hooks";
import { When } from "../parts/state";
import { useAll, useGet, type Brief, type Data, type Indicators as List } from "../lib/api";
import { useEdition } from "../lib/edition";
import { nationalUrl } from "../lib/headline";
import { changed, go, useRoute } from "../lib/route";
import { useWords } from "../lib/words";
import { IndicatorTable } from "./overview";

export function Indicators() {
  const { t } = useWords();
  const list = useGet<List>("/v1/indicators");
  return (
    <div class="page">
      <div class="lede">
        <h1>{t("indicators.title")}</h1>
        <p>{t("indicators.lede")}</p>
      </div>
      <When loaded={list} height={700}>{(value) => <Found indicators={value.indicators} />}</When>
    </div>
  );
}

function Found({ indicators }: { indicators: Brief[] }) {
  const { t } = useWords();
  const { asked } = useEdition();
  const { query } = useRoute();
  const [wanted, setWanted] = useState(query.get("find") ?? "");
  const series = useAll<Data[]>(indicators.map((i) => nationalUrl(i, asked)));
  const needles = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (i: Brief) => [i.id, i.title.en, i.title.ur, i.description.en, i.description.ur].join(" ").toLowerCase();
  const shown = indicators.filter((i) => needles.every((n) => text(i).includes(n)));
  return (
    <>
      <div class="find">
        <label for="find">{t("indicators.find")}</label>
        <input
          id="find"
          type="search"
          value={wanted}
          autocomplete="off"
          onInput={(event) => {
            setWanted(event.currentTarget.value);
            go(changed({ find: event.currentTarget.value }), true);
          }}
        />
        <p role="status" class="soft">{t("indicators.count", { n: shown.length, all: indicators.length })}</p>
      </div>
      {shown.length ? <IndicatorTable indicators={indicators} series={series} shown={shown} /> : <p class="nochart">{t("indicators.none")}</p>}
    </>
  );
}
