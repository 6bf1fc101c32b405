// Saved questions: a list to find one in.
import { useState } from "preact/hooks";
import { Marks, Said, useTexts } from "../parts/saved";
import { When } from "../parts/state";
import { address, changed, go, useRoute } from "../lib/route";
import { asksRecords, useOwn, type Saved } from "../lib/saved";

export function Questions() {
  const say = useTexts();
  const list = useOwn<Saved[]>("/v1/questions");
  return (
    <div class="page">
      <div class="lede">
        <h1>{say("questions.title")}</h1>
        <p>{say("questions.lede")}</p>
      </div>
      <When loaded={list} height={700}>{(questions) => <Found questions={questions} />}</When>
      <p class="soft">{say("questions.own")} <a href={address("/sql")}>{say("questions.own.sql")}</a>.</p>
    </div>
  );
}

function Found({ questions }: { questions: Saved[] }) {
  const say = useTexts();
  const { query } = useRoute();
  const [wanted, setWanted] = useState(query.get("find") ?? "");
  const needles = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (q: Saved) => [q.name, q.title.en, q.title.ur, q.description.en, q.description.ur, q.owner ?? ""].join(" ").toLowerCase();
  // What everybody may ask comes first.
  const sorted = [...questions].sort((a, b) => Number(asksRecords(a)) - Number(asksRecords(b)));
  const shown = sorted.filter((q) => needles.every((n) => text(q).includes(n)));
  return (
    <>
      <div class="find">
        <label for="find">{say("questions.find")}</label>
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
        <p role="status" class="soft">{say("questions.count", { n: shown.length, all: questions.length })}</p>
      </div>
      {shown.length === 0 && <p class="nochart">{say("questions.none")}</p>}
      <ul class="questions">
        {shown.map((saved) => (
          <li key={saved.name}>
            <h2><a href={address(`/questions/${saved.name}`)}><Said text={saved.title} /></a></h2>
            {saved.description.en && <p><Said text={saved.description} /></p>}
            <Marks saved={saved} />
          </li>
        ))}
      </ul>
    </>
  );
}
