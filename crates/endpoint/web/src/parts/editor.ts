// The editor of questions: CodeMirror, in a shadow root, where it brings its styles as adopted sheets, which the policy of the
// pages allows; in the document it would write style elements, which the policy refuses.
import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { HighlightStyle, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, drawSelection, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Schema } from "../lib/ask";

export interface Editor {
  text: () => string;
  set: (text: string) => void;
  insert: (text: string) => void;
  /** Colours the SQL, and completes it with what there is to be asked about. */
  complete: (schema: Schema) => void;
  close: () => void;
}

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "14.5px", border: "1px solid var(--line)" },
  "&.cm-focused": { outline: "3px solid var(--focus)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", minHeight: "9.5rem", maxHeight: "24rem", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--c2) !important" },
  ".cm-gutters": { backgroundColor: "var(--page)", color: "var(--muted)", border: "none" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--accent-ink)" },
  ".cm-completionDetail": { color: "inherit", fontStyle: "normal", marginLeft: "1em" },
  ".cm-matchingBracket": { backgroundColor: "var(--wash)", outline: "1px solid var(--line)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--s4)", fontWeight: "700" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--s2)" },
  { tag: tags.number, color: "var(--s3)" },
  { tag: tags.comment, color: "var(--muted)" },
]);

/** Table names with their columns; records and published tables are found without their schema, too. */
function completions(schema: Schema) {
  const all: Record<string, { label: string; detail: string; type: string }[]> = {};
  for (const [in_, tables] of schema) {
    for (const [table, columns] of tables) {
      const listed = columns.map((c) => ({ label: c.name, detail: c.list ? `${c.type}, ${c.list}` : c.type, type: "property" }));
      all[`${in_}.${table}`] = listed;
      if (in_ === "protected") all[table] = listed;
    }
  }
  return all;
}

/** What is typed over a selection is put in by us: the browser would keep its look by styles in the text, which the policy refuses. */
const typedOver = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    if (event.inputType !== "insertText" || !event.data || view.composing || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch({ ...view.state.replaceSelection(event.data), userEvent: "input.type" });
    return true;
  },
});

interface Given {
  host: HTMLElement;
  text: string;
  /** Where the reader writes already: from and to. */
  at: [number, number] | null;
  label: string;
  changed: (text: string) => void;
  run: () => void;
}

export function open({ host, text, at, label, changed, run }: Given): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.replaceChildren();
  const parent = document.createElement("div");
  root.append(parent);
  const language = new Compartment();
  const asks = keymap.of([{ key: "Mod-Enter", run: () => (run(), true) }]);
  const view = new EditorView({
    root,
    parent,
    state: EditorState.create({
      doc: text,
      selection: at ? { anchor: at[0], head: at[1] } : undefined,
      extensions: [
        asks,
        typedOver,
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        // Read and coloured after it is shown, by `complete`.
        language.of([]),
        syntaxHighlighting(colours),
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, dir: "ltr", lang: "en", spellcheck: "false" }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
        look,
      ],
    }),
  });
  if (at) view.focus();
  return {
    text: () => view.state.doc.toString(),
    set: (to) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: to } }),
    insert: (piece) => {
      view.dispatch(view.state.replaceSelection(piece));
      view.focus();
    },
    complete: (schema) =>
      view.dispatch({ effects: language.reconfigure(sql({ dialect: PostgreSQL, schema: completions(schema), upperCaseKeywords: false })) }),
    close: () => view.destroy(),
  };
}
