/** Characters that are not seen and not meant: zero widths, soft hyphen, byte order mark, and marks of writing direction. */
const UNSEEN = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;
/** Wide and narrow forms of ordinary characters, as East Asian input writes them. */
const OTHER_WIDTH = /[\u3000\uff01-\uffee]/g;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * The one spelling of a name's characters: of ordinary width, without unseen ones, composed (NFC), single blanks and none at the ends.
 * Width mapping and NFC are what RFC 8265 does to user names. Not NFKC: it would make `²` a `2`, and two names one.
 */
export function plainSpelling(text: string): string {
  let plain = text;
  if (!PRINTABLE_ASCII.test(text)) {
    plain = text
      .replace(OTHER_WIDTH, (character) => character.normalize('NFKC'))
      .replace(UNSEEN, '')
      .normalize('NFC');
  }
  return plain.replace(/\s+/g, ' ').trim();
}

/** The same without differences of letter case, composed again because lower case may be written with marks. */
export function foldedSpelling(text: string): string {
  const folded = plainSpelling(text).toLowerCase();
  return PRINTABLE_ASCII.test(folded) ? folded : folded.normalize('NFC');
}
