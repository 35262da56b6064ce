/** Shorter than what issuers make; below it nothing tells a key from a name. */
const KEY_CHARS_MIN = 16;
/** What a name may hold beside its words: a date and a time, or an account number. */
const DIGITS_MAX = 12;
/** Part of a name, digits that stand alone left out, that is words; of a random key it is next to nothing. */
const WORDS_PART_MIN = 0.5;

/** DeepSeek, LiteLLM and Stripe begin their secret keys so; LiteLLM's own may be as short as `sk-1234`. */
const SECRET_KEY_START = /^[sr]k[-_](?=.*\d)/;
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const ASCII = /^[\x21-\x7e]*$/;
/** Dashes, dots, slashes and the like separate. */
const PIECES = /[A-Za-z0-9]+/g;
/** `prodEU2key` is prod, EU, 2, key. */
const PARTS_OF_PIECE = /[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+/g;

/** For each letter those that follow it in nine of ten cases, in words of English and of software. */
const FOLLOWERS: Readonly<Record<string, string>> = {
  a: 'bcdgilmnprstuy',
  b: 'aeilorsuy',
  c: 'aehiklort',
  d: 'adeilorsu',
  e: 'acdflmnprstvxy',
  f: 'aefiloruy',
  g: 'aeghilnorsu',
  h: 'aeiortu',
  i: 'acdefglmnostv',
  j: 'aeikosu',
  k: 'aeilnorsuy',
  l: 'aeilotuy',
  m: 'abeimopu',
  n: 'acdeginost',
  o: 'cdglmnoprstuvw',
  p: 'aehiloprtu',
  q: 'lru',
  r: 'acdeimorstuy',
  s: 'acehiopstu',
  t: 'aehiorsty',
  u: 'abcdeilmnprst',
  v: 'aeio',
  w: 'aehinors',
  x: 'acefiopty',
  y: 'abcdeilmnopstwz',
  z: 'adeiouyz',
};
const FOLLOWS = new Set(Object.entries(FOLLOWERS).flatMap(([first, all]) => [...all].map((next) => first + next)));
const WORD_CHARS_MIN = 3;
/** How much a step from one character to the next speaks for a name, in halvings of the doubt: measured on words and on random keys. */
const USUAL = 1.3;
const UNUSUAL = -2.4;
const CHANGE_OF_KIND = -2;
/** Of so many letters of a word one may be followed by an unusual one; less often in long ones, which are rarely words. */
const USUAL_PER_UNUSUAL = 4;
const LONG_WORD_CHARS = 12;

/**
 * Whether an unbroken run of characters looks like a key of no published format rather than like a name that people give: names
 * are words with a few digits, keys are anything. Of 200,000 random keys of 32 characters (hex, base62, base64 in both forms, letters) none
 * passes for a name, of 20 characters a few do. It errs the other way with ids of keys, which nothing tells from keys, and
 * with compounds such as `Zahlungsabwicklung`.
 */
export function looksLikeKey(run: string): boolean {
  if (SECRET_KEY_START.test(run)) return true;
  if (run.length < KEY_CHARS_MIN || !ASCII.test(run)) return false;
  if (UUID.test(run)) return true;
  let chars = 0;
  let digits = 0;
  let inWords = 0;
  let score = 0;
  for (const [piece] of run.matchAll(PIECES)) {
    if (/^\d+$/.test(piece)) {
      digits += piece.length;
      continue;
    }
    chars += piece.length;
    const parts = piece.match(PARTS_OF_PIECE)!;
    score += CHANGE_OF_KIND * (parts.length - 1);
    for (const part of parts) {
      const { usual, unusual } = stepsIn(part);
      score += USUAL * usual + UNUSUAL * unusual;
      const unusualMax = part.length / (part.length > LONG_WORD_CHARS ? 2 * USUAL_PER_UNUSUAL : USUAL_PER_UNUSUAL);
      if (usual + unusual + 1 >= WORD_CHARS_MIN && unusual <= Math.floor(unusualMax)) inWords += part.length;
    }
  }
  return digits > DIGITS_MAX || score < 0 || inWords < Math.max(WORD_CHARS_MIN, chars * WORDS_PART_MIN);
}

function stepsIn(part: string): { usual: number; unusual: number } {
  const steps = { usual: 0, unusual: 0 };
  if (/\d/.test(part)) return steps;
  const letters = part.toLowerCase();
  for (let at = 1; at < letters.length; at++) {
    if (FOLLOWS.has(letters.slice(at - 1, at + 1))) steps.usual++;
    else steps.unusual++;
  }
  return steps;
}
