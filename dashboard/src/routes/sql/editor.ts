import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { schemaCompletionSource, keywordCompletionSource, SQLDialect, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { SqlSchema, SqlValues } from '@lanewatch/query-api/contract';
import { columnBeforeValue } from './value-place.ts';

const KEYWORDS =
  'select from where group by order having limit with as join inner left right full cross on using union all distinct and or not in is null like ilike between case when then else end interval day hour minute month week desc asc prewhere final sample array offset explain except over partition rows range';

/** ClickHouse as far as colours and completion go. */
const dialect = SQLDialect.define({
  keywords: KEYWORDS,
  types:
    'string date datetime datetime64 uint8 uint16 uint32 uint64 int32 int64 float64 decimal array map tuple nullable',
  doubleQuotedStrings: false,
  operatorChars: '*+-%<>!=&|~^/',
  identifierQuotes: '`"',
  caseInsensitiveIdentifiers: false,
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: tags.number, color: 'var(--warn)' },
  { tag: tags.comment, color: 'var(--ink-quiet)', fontStyle: 'italic' },
]);

const theme = EditorView.theme({
  '&': {
    color: 'var(--ink)',
    backgroundColor: 'var(--surface)',
    fontSize: 'var(--text-s)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': {
    fontFamily: 'var(--font-mono)',
    lineHeight: '1.5',
    fontVariantLigatures: 'none',
    minHeight: '10rem',
    maxHeight: '50vh',
  },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { color: 'var(--ink-quiet)', backgroundColor: 'var(--sunken)', border: 'none' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-ground)' },
  '.cm-tooltip': {
    color: 'var(--ink)',
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--ink)', backgroundColor: 'var(--accent-ground)' },
  '.cm-completionDetail': { color: 'var(--ink-quiet)', marginLeft: '1em', fontStyle: 'normal' },
});

export interface Editor {
  /** Puts a text in the place of all. */
  set(text: string): void;
  /** Puts a text where the cursor is. */
  insert(text: string): void;
  /** Puts the cursor at a line and column, both from 1. */
  goTo(line: number, column: number): void;
  focus(): void;
  destroy(): void;
}

/**
 * An SQL editor inside an element, with completion of tables, columns, functions and values. It lives in a shadow root, where its styles need no
 * exception from the page's policy.
 * @param offered values by column as far as they are known by now, for completion inside quotes
 * @param onChange told of each change of the text
 */
export function createEditor(
  element: HTMLElement,
  text: string,
  schema: SqlSchema,
  offered: () => SqlValues['columns'],
  onChange: (text: string) => void,
  onRun: () => void,
): Editor {
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  const tables = Object.fromEntries(
    schema.tables.map(({ name, columns }) => [
      name,
      columns.map((column) => ({ label: column.name, detail: column.type, info: column.comment, type: 'property' })),
    ]),
  );
  const names = [
    ...schema.tables.flatMap(({ columns }) =>
      columns.map(({ name, type, comment }) => ({ label: name, detail: type, info: comment, type: 'property' })),
    ),
    ...schema.functions.map((name) => ({ label: name, type: 'function' })),
  ];
  const unique = [...new Map(names.map((option) => [option.label, option])).values()];
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        bracketMatching(),
        closeBrackets(),
        EditorView.lineWrapping,
        placeholder('SELECT … FROM usage'),
        sql({ dialect, upperCaseKeywords: true }),
        autocompletion({
          override: [
            (context) => {
              const place = columnBeforeValue(context.state.sliceDoc(0, context.pos));
              const values = place === null ? undefined : offered()[place.column];
              if (place === null || values === undefined) return null;
              const options = values.map((label) => ({ label, apply: label.replaceAll("'", "''"), type: 'text' }));
              return { from: context.pos - place.typed.length, options };
            },
            schemaCompletionSource({ dialect, schema: tables }),
            keywordCompletionSource(dialect, true),
            (context) => {
              const word = context.matchBefore(/\w+/);
              return word === null ? null : { from: word.from, options: unique, validFor: /^\w*$/ };
            },
          ],
        }),
        syntaxHighlighting(colours),
        theme,
        EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
        keymap.of([
          { key: 'Mod-Enter', run: () => (onRun(), true) },
          ...completionKeymap,
          ...historyKeymap,
          // Without Tab, which goes on to the next field as everywhere; Ctrl-] indents.
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) onChange(state.doc.toString());
        }),
      ],
    }),
  });
  return {
    set: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }),
    insert: (more) => {
      view.dispatch(view.state.replaceSelection(more));
      view.focus();
    },
    goTo(line, column) {
      const { from, length } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: from + Math.min(column - 1, length) }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
