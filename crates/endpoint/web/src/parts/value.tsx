// A number as it is read: the value, its interval, its status in words and by a sign of its own.
import type { Status } from "../lib/cells";
import { interval, isExact, number, type Point } from "../lib/cells";
import { useWords } from "../lib/words";
import type { Key } from "../messages";

/** The sign of a status; colour adds nothing to it. */
const SIGN: Record<Status, string> = { A: "", P: "p", U: "~", B: "┆", Q: "✕", L: "–", M: "÷", K: "⊂", W: "⊃" };

/** A status as a sign and a word; nothing for what is normal. */
export function StatusMark({ status, short = false }: { status: Status; short?: boolean }) {
  const { t } = useWords();
  if (status === "A") return null;
  const word = t(`status.${status}` as Key);
  return (
    <span class={`status status-${status}`} title={word}>
      <span aria-hidden="true">{SIGN[status]}</span>
      <span class={short ? "unseen" : ""}> {word}</span>
    </span>
  );
}

/** A cell in a table: a zero is a zero, and what is missing says how. */
export function CellText({ point }: { point: Point | undefined }) {
  const { t } = useWords();
  if (!point) return <span class="nothing" title={t("status.none")}><span aria-hidden="true">·</span><span class="unseen">{t("status.none")}</span></span>;
  if (point.value === null) return <StatusMark status={point.status} short={false} />;
  const width = interval(point);
  return (
    <>
      <bdi dir="ltr" class="n">{number(point.value)}</bdi>
      {width && <> <bdi dir="ltr" class="interval">{width}</bdi></>} <StatusMark status={point.status} short />
    </>
  );
}

/** A number that stands alone: large, with its interval and status in words beneath. */
export function BigNumber({ point, unit }: { point: Point; unit: string }) {
  const { t } = useWords();
  const width = interval(point);
  return (
    <div class="big">
      {point.value === null ? (
        <p class="big-value big-none"><StatusMark status={point.status} /></p>
      ) : (
        <p class="big-value">
          <bdi dir="ltr">{number(point.value)}</bdi> <span class="big-unit">{unit}</span>
        </p>
      )}
      <p class="big-note">
        {width ? <><bdi dir="ltr">{width}</bdi> <span>{t("word.interval")}</span></> : isExact(point) ? t("word.exact") : null}
        {point.value !== null && <StatusMark status={point.status} />}
      </p>
    </div>
  );
}
