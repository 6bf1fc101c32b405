// A button that copies a text and says that it has.
import { useState } from "preact/hooks";
import { useWords } from "../lib/words";

export function Copy({ text, label }: { text: string; label: string }) {
  const { t } = useWords();
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);
    }
    setDone(true);
    setTimeout(() => setDone(false), 1800);
  };
  return (
    <button type="button" class="action" onClick={() => void copy()}>
      {label} <span class="done" role="status">{done ? `✓ ${t("word.copied")}` : ""}</span>
    </button>
  );
}

/** For pages that are served without TLS, where there is no clipboard to write to. */
function copyBySelection(text: string): void {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "unseen";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
