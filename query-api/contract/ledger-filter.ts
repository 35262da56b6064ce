/**
 * The filter that people type for the ledger: `agent:codex cost>1 -user:ada`. Terms stand beside each other and all of them must hold; of
 * several that name one field without a minus, any. `field:""` is the empty value, `field:acme/*` a beginning, and what holds a space is
 * written in quotes. Pure and without further modules: pages read it while somebody types.
 */

/** Fields that hold a text, by what they may be typed as. */
const TEXT_FIELDS = [
  ...['lane', 'hint', 'fingerprint', 'standing', 'match', 'org', 'user', 'endpoint', 'ip', 'host', 'agent'],
  ...[
    'agent_version',
    'session',
    'request_id',
    'response_id',
    'repo',
    'branch',
    'provider',
    'served_by',
    'model',
    'module',
  ],
  ...['environment', 'action', 'operation', 'outcome', 'cost_basis', 'credential_id', 'credential_provider'],
  ...['credential_kind', 'collector', 'reporter', 'source', 'id', 'finding', 'flag'],
] as const;
/** Fields that hold a number, and how many decimals it may have. */
const NUMBER_FIELDS = {
  status_code: 0,
  cost_usd: 9,
  latency_ms: 0,
  tokens: 0,
  tokens_input_uncached: 0,
  tokens_cache_read: 0,
  tokens_cache_write: 0,
  tokens_output: 0,
} as const;
/** Shorter and plainer names. */
const ALIASES: Record<string, Field> = {
  key: 'hint',
  organization: 'org',
  person: 'user',
  address: 'ip',
  version: 'agent_version',
  request: 'request_id',
  repository: 'repo',
  env: 'environment',
  status: 'status_code',
  cost: 'cost_usd',
  latency: 'latency_ms',
};

export type TextField = (typeof TEXT_FIELDS)[number];
export type NumberField = keyof typeof NUMBER_FIELDS;
type Field = TextField | NumberField;

/** What may be typed before the colon. */
export const LEDGER_FIELD_NAMES: readonly string[] = [
  ...TEXT_FIELDS,
  ...Object.keys(NUMBER_FIELDS),
  ...Object.keys(ALIASES),
];

export const COMPARISONS = ['>', '>=', '<', '<=', '='] as const;

interface Placed {
  /** Where the term stands in the text: from inclusive, to exclusive. */
  from: number;
  to: number;
  /** Begun with a minus: rows that it does not fit. */
  not: boolean;
}
export type LedgerTerm = Placed &
  (
    | { kind: 'text'; field: TextField; value: string; isPrefix: boolean }
    | { kind: 'number'; field: NumberField; comparison: (typeof COMPARISONS)[number]; value: string }
  );
/** What can't be understood, and where it stands. */
export interface FilterProblem {
  from: number;
  to: number;
  message: string;
}

export const FILTER_CHARS_MAX = 4_000;
const TERMS_MAX = 60;

const isText = (name: string): name is TextField => (TEXT_FIELDS as readonly string[]).includes(name);
const isNumber = (name: string): name is NumberField => Object.hasOwn(NUMBER_FIELDS, name);

/** Reads a filter; what is no term is told with its place, and the others are there all the same. */
export function parseLedgerFilter(text: string): { terms: LedgerTerm[]; problems: FilterProblem[] } {
  const terms: LedgerTerm[] = [];
  const problems: FilterProblem[] = [];
  if (text.length > FILTER_CHARS_MAX) {
    problems.push({ from: FILTER_CHARS_MAX, to: text.length, message: `is longer than ${FILTER_CHARS_MAX} signs` });
    return { terms, problems };
  }
  for (const { from, to } of wordsOf(text)) {
    const read = termOf(text.slice(from, to));
    if ('message' in read) {
      problems.push({ from: from + read.from, to: from + read.to, message: read.message });
    } else if (terms.length === TERMS_MAX) {
      problems.push({ from, to, message: `is one more than the ${TERMS_MAX} terms that a filter may have` });
      break;
    } else {
      terms.push({ ...read, from, to });
    }
  }
  return { terms, problems };
}

/** Pieces between spaces; a quoted value may hold some. */
function wordsOf(text: string): { from: number; to: number }[] {
  const word = /(?:"(?:\\.|[^"\\])*(?:"|$)|[^\s"])+/gsu;
  return [...text.matchAll(word)].map((match) => ({ from: match.index, to: match.index + match[0].length }));
}

type Distributed<Term> = Term extends unknown ? Omit<Term, 'from' | 'to'> : never;

function termOf(word: string): Distributed<LedgerTerm> | FilterProblem {
  const not = word.startsWith('-');
  const start = not ? 1 : 0;
  const operator = /[:=<>]/.exec(word.slice(start));
  const nameEnd = operator === null ? word.length : start + operator.index;
  const name = word.slice(start, nameEnd).toLowerCase();
  if (operator === null) {
    return { from: 0, to: word.length, message: 'is no term: write field:value, such as user:ada or cost>1' };
  }
  const field = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  const sign = /^(?::|=|[<>]=?)/.exec(word.slice(nameEnd))?.[0] ?? ':';
  const valueStart = nameEnd + sign.length;
  const value = word.slice(valueStart);
  if (isNumber(field)) {
    const decimals = NUMBER_FIELDS[field];
    const fits = (decimals === 0 ? /^\d{1,15}$/ : /^\d{1,9}(\.\d{1,9})?$/).test(value);
    if (!fits) {
      const needed = decimals === 0 ? 'a whole number' : 'an amount such as 1 or 0.25';
      return { from: valueStart, to: word.length, message: `is no value of ${name}, which takes ${needed}` };
    }
    return { kind: 'number', field, not, value, comparison: sign === ':' ? '=' : (sign as '>') };
  }
  if (!isText(field)) {
    return { from: start, to: nameEnd, message: `is no field of the ledger${nearTo(name)}` };
  }
  if (sign !== ':' && sign !== '=') {
    return { from: nameEnd, to: valueStart, message: `compares numbers, and ${name} is a text: write ${name}:value` };
  }
  return textTerm(field, not, value, valueStart);
}

function textTerm(field: TextField, not: boolean, value: string, at: number): Distributed<LedgerTerm> | FilterProblem {
  if (value.startsWith('"')) {
    const quoted = /^"((?:\\.|[^"\\])*)"$/su.exec(value);
    if (quoted === null) {
      return { from: at, to: at + value.length, message: 'is a quote without its end, or has more after it' };
    }
    return { kind: 'text', field, not, isPrefix: false, value: (quoted[1] ?? '').replaceAll(/\\(.)/gsu, '$1') };
  }
  if (value === '') return { from: at, to: at, message: `has no value; ${field}:"" means that it is empty` };
  if (value.includes('"'))
    return { from: at, to: at + value.length, message: 'has a quote inside: put all of it in quotes' };
  const star = value.indexOf('*');
  if (star !== -1 && star < value.length - 1) {
    return { from: at + star, to: at + star + 1, message: 'stands for any end only; in quotes it is an asterisk' };
  }
  const isPrefix = star !== -1;
  return { kind: 'text', field, not, isPrefix, value: isPrefix ? value.slice(0, -1) : value };
}

/** The names that begin alike, for whoever mistyped one. */
function nearTo(name: string): string {
  const near = LEDGER_FIELD_NAMES.filter((one) => name.length > 1 && one.startsWith(name.slice(0, 2))).slice(0, 3);
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}

/** A term of a text field as it is typed. {@link parseLedgerFilter} reads the same from it, whatever the value. */
export function textTermOf(field: TextField, value: string, { not = false, isPrefix = false } = {}): string {
  const isPlain = value !== '' && !/["\s*\\]/u.test(value);
  const written = isPrefix ? `${value}*` : isPlain ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  return `${not ? '-' : ''}${field}:${written}`;
}

/** Any term as it is typed. */
export function termText(term: Distributed<LedgerTerm>): string {
  if (term.kind === 'text') return textTermOf(term.field, term.value, term);
  const sign = term.comparison === '=' ? ':' : term.comparison;
  return `${term.not ? '-' : ''}${term.field}${sign}${term.value}`;
}
