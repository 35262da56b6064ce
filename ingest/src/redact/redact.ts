import { hintOf } from '../../contract/hint.ts';
import { type SecretRule, SECRET_RULES } from './rules.ts';

/** Counts what was found, across all fields of an event. */
export interface RedactionTally {
  redactions: number;
}

/** Where a secret stands in a text. */
interface Hit {
  start: number;
  end: number;
  replacement: string;
}

/**
 * For each pair of ASCII characters the rules whose literal begins with it. One look-up per character decides
 * whether a position deserves more; in clean text almost none does.
 */
const RULES_BY_PAIR: (SecretRule[] | undefined)[] = new Array<SecretRule[] | undefined>(128 * 128);
/** The same as bits, because the scan of clean text touches nothing else. */
const PAIR_FLAGS = new Uint8Array(128 * 128);
const RULE = 1;
const ASSIGNMENT = 2;
const USERINFO = 4;
/** The second character is a control character. Pairs with NUL before stand for the start of the text. */
const UNFIT = 8;
/** How the literals of a pair go on: a set of the lowest five bits of their third characters. Words of prose rarely pass it. */
const PAIR_THIRDS = new Uint32Array(128 * 128);

for (const rule of SECRET_RULES) {
  for (const start of rule.starts) {
    const pair = (start.charCodeAt(0) << 7) | start.charCodeAt(1);
    const rules = (RULES_BY_PAIR[pair] ??= []);
    if (!rules.includes(rule)) rules.push(rule);
    PAIR_FLAGS[pair]! |= RULE;
    PAIR_THIRDS[pair]! |= 1 << (start.charCodeAt(2) & 31);
  }
}
/** `key=…`, `password: …`: the character before the sign is the last of one of the words below, a quote or a blank. */
for (const before of 'dDyYnNtTsS"\' ') {
  for (const sign of '=:') PAIR_FLAGS[(before.charCodeAt(0) << 7) | sign.charCodeAt(0)]! |= ASSIGNMENT;
}
/** `://user:password@` */
PAIR_FLAGS[(':'.charCodeAt(0) << 7) | '/'.charCodeAt(0)]! |= USERINFO;
for (let before = 0; before < 128; before++) {
  for (let code = 0; code < 128; code++) if (code < 0x20 || code === 0x7f) PAIR_FLAGS[(before << 7) | code]! |= UNFIT;
}

/** The name before the sign, with the quote that ends it, which is escaped where JSON stands inside of JSON. */
const ASSIGNED_NAME =
  /(?:api[_-]?keys?|apikey|access[_-]?key(?:[_-]?id)?|private[_-]?key|secret|passw(?:or)?d|passwd|pwd|token|credentials?|authorization|subscription[_-]?key|[?&]key)(?:\\{0,8}["' ]){0,2}$/i;
/**
 * A value with a digit or of some length, also behind the scheme of an Authorization header; masked ones (`...`) were redacted by
 * somebody before us. Up to a quote, escaped or not.
 */
const ASSIGNED_VALUE =
  /[=:] {0,2}(?:\\{0,8}["'])?(?:(?:token|api-?key|digest|negotiate|ntlm) {1,4})?(?!\S{0,256}\.{3})((?=[^\s"'&,;}]{0,256}\d|[^\s"'&,;}]{20})(?:[^\s"'&,;}\\]|\\(?!\\{0,8}["'])){8,})/iy;
const NAME_CHARS_MAX = 32;
/** Up to the last @ before the path, because a password may hold one. */
const URL_USERINFO = /:\/\/[^\s/?#]{1,2048}@/y;

/** With the @; a longer one is a token. */
const USER_NAME_CHARS_MAX = 20;

const isWordCode = (code: number) =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);

/**
 * Replaces every secret in a text by its hint. Returns the very same string when there is none.
 * @param tally raised by the number of secrets found
 */
export function redactSecrets(text: string, tally: RedactionTally): string {
  const first = nextSuspect(text, 0);
  return first === -1 ? text : redactFrom(text, first, tally);
}

/** The next position where a secret could begin; -1 when nowhere. */
function nextSuspect(text: string, from: number): number {
  const last = text.length - 1;
  let code = from < text.length ? text.charCodeAt(from) : 0;
  for (let at = from; at < last; at++) {
    const next = text.charCodeAt(at + 1);
    if (code < 128 && next < 128) {
      const pair = (code << 7) | next;
      const flags = PAIR_FLAGS[pair]! & ~UNFIT;
      if (flags !== 0 && (flags !== RULE || goesOn(pair, text.charCodeAt(at + 2)))) return at;
    }
    code = next;
  }
  return -1;
}

const goesOn = (pair: number, third: number) => ((PAIR_THIRDS[pair]! >>> (third & 31)) & 1) === 1;

/**
 * Whether a text is printable ASCII in which no secret could begin: in one pass, because nearly every text is and this is all that it
 * costs then. False says only that it takes a closer look.
 */
export function isHarmless(text: string): boolean {
  let before = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128) return false;
    const pair = (before << 7) | code;
    const flags = PAIR_FLAGS[pair]!;
    if (flags !== 0 && (flags !== RULE || goesOn(pair, text.charCodeAt(at + 1)))) return false;
    before = code;
  }
  return true;
}

function redactFrom(text: string, first: number, tally: RedactionTally): string {
  let result = '';
  let copied = 0;
  for (let at = first; at !== -1;) {
    const hit = hitAt(text, at, copied);
    if (hit === null) {
      at = nextSuspect(text, at + 1);
      continue;
    }
    tally.redactions++;
    result += text.slice(copied, hit.start) + hit.replacement;
    copied = hit.end;
    at = nextSuspect(text, hit.end);
  }
  return copied === 0 ? text : result + text.slice(copied);
}

function hitAt(text: string, at: number, copied: number): Hit | null {
  const pair = (text.charCodeAt(at) << 7) | text.charCodeAt(at + 1);
  const flags = PAIR_FLAGS[pair]!;
  if ((flags & RULE) !== 0) {
    for (const rule of RULES_BY_PAIR[pair]!) {
      const end = matchRule(rule, text, at);
      if (end !== -1) return { start: at, end, replacement: rule.mask ?? hintOf(text.slice(at, end)) };
    }
  }
  if ((flags & ASSIGNMENT) !== 0) {
    const hit = assignmentAt(text, at + 1, copied);
    if (hit !== null) return hit;
  }
  if ((flags & USERINFO) !== 0) {
    const userinfo = userinfoAt(text, at);
    // A user name alone (ssh://git@host) is no secret; with a colon, or long enough to be a token, it is.
    if (userinfo.includes(':') || userinfo.length > USER_NAME_CHARS_MAX) {
      return { start: at + 3, end: at + 3 + userinfo.length, replacement: '' };
    }
  }
  return null;
}

/** `user:password@` behind the colon and slashes at a position; '' when there is none. */
function userinfoAt(text: string, at: number): string {
  URL_USERINFO.lastIndex = at;
  return URL_USERINFO.exec(text)?.[0].slice(3) ?? '';
}

/**
 * A web address without who fetched it: `https://user@host/x`, too, becomes `https://host/x`, because the same repository is meant. In
 * other addresses the user belongs to the place (`ssh://git@host/x`).
 */
export function withoutUserinfo(url: string): string {
  const scheme = /^https?(?=:\/\/)/i.exec(url)?.[0];
  if (scheme === undefined) return url;
  const userinfo = userinfoAt(url, scheme.length);
  return userinfo === '' ? url : url.slice(0, scheme.length + 3) + url.slice(scheme.length + 3 + userinfo.length);
}

function matchRule(rule: SecretRule, text: string, at: number): number {
  if (!rule.starts.some((start) => text.startsWith(start, at))) return -1;
  if (rule.afterBoundary === true && at > 0 && isWordCode(text.charCodeAt(at - 1))) return -1;
  rule.pattern.lastIndex = at;
  return rule.pattern.test(text) ? rule.pattern.lastIndex : -1;
}

function assignmentAt(text: string, sign: number, copied: number): Hit | null {
  const name = text.slice(Math.max(copied, sign - NAME_CHARS_MAX), sign);
  if (!ASSIGNED_NAME.test(name)) return null;
  ASSIGNED_VALUE.lastIndex = sign;
  const value = ASSIGNED_VALUE.exec(text)?.[1];
  if (value === undefined) return null;
  const end = ASSIGNED_VALUE.lastIndex;
  const start = end - value.length;
  // A key of a known format is shown by its hint; of any other secret (a password, say) even the ends are kept back.
  const known = wholeApiKey(value);
  return { start, end, replacement: known === null ? '...' : hintOf(known) };
}

/**
 * The raw key when the whole text is one (outer blanks, `Bearer ` before it are allowed); null otherwise.
 * For the fields that name a credential, where it becomes fingerprint and hint.
 */
export function wholeApiKey(text: string): string | null {
  const bare = text.trim().replace(/^bearer +/i, '');
  if (bare.length < 8) return null;
  const rules = RULES_BY_PAIR[(bare.charCodeAt(0) << 7) | bare.charCodeAt(1)];
  const matched = rules?.some((rule) => rule.isApiKey && matchRule(rule, bare, 0) === bare.length);
  return matched === true ? bare : null;
}
