// What the steward's pages share: whose they are, and what others are told.
import type { ComponentChildren } from "preact";
import { signInAddress, useSession, type Session } from "../lib/session";
import { useWords } from "../lib/words";
import type { Key } from "../messages";
import { useTexts } from "./entry";

/** A page with its heading, whose content is for the steward alone. The service decides who that is; this only says it. */
export function ForSteward({ title, lede, children }: { title: string; lede: ComponentChildren; children: (session: Session) => ComponentChildren }) {
  const { t } = useWords();
  const say = useTexts();
  const session = useSession();
  return (
    <article class="page">
      <div class="lede">
        <h1>{title}</h1>
        <p>{lede}</p>
      </div>
      {session === null && <p class="loading" role="status">{t("word.loading")}</p>}
      {session && session.role !== "steward" && (
        <>
          <p class="note">
            {say("steward.notyours")}
            {session.name && <> {say("steward.notyours.as", { name: session.name, role: t(`role.${session.role}` as Key) })}</>}
          </p>
          <p><a class="action primary" href={signInAddress()}>{session.name ? say("steward.notyours.other") : t("site.signin")}</a></p>
        </>
      )}
      {session?.role === "steward" && children(session)}
    </article>
  );
}
