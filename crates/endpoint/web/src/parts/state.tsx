// What stands where numbers are not there yet, or could not be had.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Loaded, Problem } from "../lib/api";
import { useWords } from "../lib/words";

/** What is loaded, or why it is not. What was there before stays while the next is on its way, so that nothing jumps. */
export function When<T>({ loaded, children, height = 320 }: { loaded: Loaded<T>; children: (value: T) => ComponentChildren; height?: number }) {
  const { t } = useWords();
  const before = useRef<ComponentChildren>(null);
  if (loaded.state === "ready") {
    before.current = children(loaded.value);
    return <>{before.current}</>;
  }
  if (loaded.state === "loading" && before.current) return <>{before.current}</>;
  if (loaded.state === "failed") return <Trouble problem={loaded.problem} />;
  return <p class="loading" role="status" style={{ minHeight: `${height}px` }}>{t("word.loading")}</p>;
}

/** A failure in words, with what to do. */
export function Trouble({ problem }: { problem: Problem }) {
  const { t } = useWords();
  return (
    <div class="trouble" role="alert">
      <p><strong>{t("error.title")}.</strong> <span lang="en" dir="ltr">{problem.status === 0 ? "" : problem.detail || problem.title}</span></p>
      {problem.status === 0 && <p>{t("error.network")}</p>}
      {problem.hint && <p lang="en" dir="ltr">{problem.hint}</p>}
      <button type="button" class="action" onClick={() => location.reload()}>{t("word.retry")}</button>
    </div>
  );
}
