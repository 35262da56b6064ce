/**
 * What looks like a raw key. Pure text work without Node imports: the dashboard asks it in the browser, before a form leaves,
 * and query-api again, for everybody else.
 */
import { hintEnds, providerOfKey } from '@lanewatch/ingest/contract/hint';

/** What keys and masks are made of; everything else separates words, and so does a single dot. */
const WORD = /(?:[A-Za-z0-9_\-*…]|\.{2,})+/gu;
/** Shortest published key body: AWS access key ids, 16 after the prefix, in one piece. */
const BODY = /[A-Za-z0-9]{16,}/;
/** Keys with dashes in them (`sk-ant-…`, Google’s `AIza…`, the shortest) may have no such piece; they are this long. */
const DASHED_KEY_CHARS_MIN = 39;
/** What a masked form may show: the longest known prefix has 15 characters, and consoles print up to 12 more and 8 at the end. */
const MASK_HEAD_CHARS_MAX = 28;
const MASK_TAIL_CHARS_MAX = 8;
/** Letters and digits in one piece this long and this mixed are taken for a key of an unknown provider. */
const UNKNOWN_KEY = /[A-Za-z0-9]{32,}/g;

/**
 * Whether a text holds what looks like a raw key. Such a text is refused without being repeated anywhere: keys are hashed
 * where they are typed. Masked forms (`sk-ant-api03-R2D...igAA`) and fingerprints pass.
 */
export function holdsRawKey(text: string): boolean {
  return wordsOf(text).some((word) => isKnownKey(word) || isBareMask(word) || isUnknownKey(word));
}

/** Only keys of published formats: for texts, such as filters, where long mixed identifiers are ordinary. */
export function holdsKnownKey(text: string): boolean {
  return wordsOf(text).some(isKnownKey);
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(WORD)].map(([word]) => word);
}

function isKnownKey(word: string): boolean {
  if (hintEnds(word) !== null || providerOfKey(word) === '') return false;
  // Prefixes begin ordinary names as well (`sk-platform-team`, `hf_transfer_benchmark`); those are short pieces.
  return BODY.test(word) || (word.length >= DASHED_KEY_CHARS_MIN && /\d/.test(word));
}

/** A masked form that shows most of the key. */
function isBareMask(word: string): boolean {
  const ends = hintEnds(word);
  return ends !== null && (ends.head.length > MASK_HEAD_CHARS_MAX || ends.tail.length > MASK_TAIL_CHARS_MAX);
}

function isUnknownKey(word: string): boolean {
  if (/^[0-9a-f]{64}$/i.test(word)) return false;
  return [...word.matchAll(UNKNOWN_KEY)].some(([run]) => /\d/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run));
}

/** A text with everything that looks like a raw key taken out, for what must be shown as it came. */
export function withoutRawKeys(text: string): string {
  return text.replaceAll(WORD, (word) =>
    isKnownKey(word) || isBareMask(word) || isUnknownKey(word) ? '[key removed]' : word,
  );
}
