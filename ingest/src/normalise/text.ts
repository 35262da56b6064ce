import { isHarmless, redactSecrets, type RedactionTally } from '../redact/redact.ts';

/**
 * How much beyond a field's limit is looked at before cutting, so that a key that straddles the limit is still recognised
 * as one and not kept by half. Longer than any key format but certificates.
 */
export const LOOKAHEAD_CHARS = 1024;

/** What happened to the texts of one event. */
export interface TextTally extends RedactionTally {
  truncated: boolean;
}

/**
 * Makes a text fit to be kept: well-formed (lone surrogates become U+FFFD), one line (line breaks and tabs become blanks, other control
 * characters U+FFFD), without secrets, and no longer than its limit. Clean text comes back as the very same string.
 * @param limit UTF-16 units
 */
export function cleanText(raw: string, limit: number, tally: TextTally): string {
  if (raw.length <= limit && isHarmless(raw)) return raw;
  let text = raw;
  if (text.length > limit) {
    tally.truncated = true;
    if (text.length > limit + LOOKAHEAD_CHARS) text = text.slice(0, limit + LOOKAHEAD_CHARS);
  }
  if (!isPlain(text)) text = replaceUnfit(text);
  text = redactSecrets(text, tally);
  return cut(text, limit);
}

/** True when no character needs a closer look: no control characters and nothing from the surrogate range. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

const BREAKS = /[\t\n\v\f\r\u0085]+/g;
// eslint-disable-next-line no-control-regex -- as above
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

function replaceUnfit(text: string): string {
  return text.toWellFormed().replace(BREAKS, ' ').replace(CONTROLS, '\ufffd');
}

/** The text, no longer than the limit, cut without splitting a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit);
}
