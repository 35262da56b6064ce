import { hintEnds, providerOfKey } from '@lanewatch/ingest/contract';

/** Characters that real keys are made of; everything else separates words. */
const WORD = /[A-Za-z0-9_\-+/=.*…]+/gu;
/** Shortest published key body (AWS access key ids: 16 after the prefix). */
const KEY_CHARS_MIN = 16;
/** What a masked form may show: the longest known prefix has 15 characters, and consoles print up to 12 more and 8 at the end. */
const MASK_HEAD_CHARS_MAX = 28;
const MASK_TAIL_CHARS_MAX = 8;
/** A text of letters and digits this long and this mixed, without a mask, is taken for a key of an unknown provider. */
const UNKNOWN_KEY_CHARS_MIN = 32;

/**
 * Whether a text holds what looks like a raw key. Such a text is refused without being repeated anywhere: keys are hashed
 * where they are typed. Masked forms (`sk-ant-api03-R2D...igAA`) and fingerprints pass.
 */
export function holdsRawKey(text: string): boolean {
  for (const [word] of text.matchAll(WORD)) if (isRawKey(word)) return true;
  return false;
}

function isRawKey(word: string): boolean {
  const ends = hintEnds(word);
  if (ends !== null) return ends.head.length > MASK_HEAD_CHARS_MAX || ends.tail.length > MASK_TAIL_CHARS_MAX;
  if (word.length < KEY_CHARS_MIN) return false;
  // `sk-` also begins ordinary words (`sk-platform-team`); keys of that form have digits.
  if (providerOfKey(word) !== '') return !word.startsWith('sk-') || /\d/.test(word);
  if (/^(sha-?256:)?[0-9a-f]{64}$/i.test(word)) return false;
  return (
    word.length >= UNKNOWN_KEY_CHARS_MIN &&
    /\d/.test(word) &&
    /[a-z]/.test(word) &&
    /[A-Z]/.test(word) &&
    !/[./]/.test(word)
  );
}
