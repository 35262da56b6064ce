import { canonicalFingerprint } from '../../contract/fingerprint.ts';
import { canonicalHint, hintEnds, hintOf } from '../../contract/hint.ts';
import { TEXT_LIMITS } from '../../contract/usage-event.ts';
import { looksLikeKey } from '../redact/key-shape.ts';
import { wholeApiKey } from '../redact/redact.ts';
import { cleanText, LOOKAHEAD_CHARS, type TextTally } from './text.ts';

/** What a hint turned out to be. */
export interface ReadHint {
  /** What may be kept and shown. */
  hint: string;
  /** The fingerprint of a key, when that stood here; else ''. */
  fingerprint: string;
  /** The key itself, when the sender put it here; never to be kept. */
  rawKey: string | null;
}

/**
 * Reads what a sender gave as the hint of a credential. Senders put five things there:
 * - a masked form (`sk-ant-api03-R2D...igAA`): kept, with the one mask and no more of the key than {@link canonicalHint} shows;
 * - a label that people gave the key, such as an alias of LiteLLM (`devkey`, `payments-prod-key-2026`, `Dana's key for CI`): kept;
 * - the key itself, of a published format or of any other ({@link looksLikeKey}): becomes the hint of that key, and is given back so that
 *   it can become the fingerprint;
 * - a label with a key in it: the key is replaced by its hint. It becomes no fingerprint, because it may be any key;
 * - the fingerprint: given back as such and no hint.
 *
 * A label that looks like a key is masked like one. That costs a label; the other way round it would cost a key.
 */
export function readHint(given: string, tally: TextTally): ReadHint {
  if (keptAsGiven.has(given)) return { hint: given, fingerprint: '', rawKey: null };
  const text = given.trim();
  if (!/\s/.test(text)) {
    if (hintEnds(text) !== null) {
      const hint = maskedHint(text, tally);
      if (hint === given) remember(hint);
      return { hint, fingerprint: '', rawKey: null };
    }
    const fingerprint = canonicalFingerprint(text);
    if (fingerprint !== null) return { hint: '', fingerprint, rawKey: null };
    if (looksLikeKey(text)) return { hint: hintOf(text), fingerprint: '', rawKey: text };
  }
  const rawKey = wholeApiKey(text);
  if (rawKey !== null) return { hint: hintOf(rawKey), fingerprint: '', rawKey };
  return { hint: labelOf(text, tally), fingerprint: '', rawKey: null };
}

/**
 * Masked forms that needed no change: a key's hint comes with each of its events, and reading it is a third of what an event costs.
 */
const keptAsGiven = new Set<string>();
const KEPT_MAX = 10_000;

function remember(hint: string): void {
  if (keptAsGiven.size >= KEPT_MAX) keptAsGiven.clear();
  keptAsGiven.add(hint);
}

/** A mask that showed too much of the key counts as a key that was found. */
function maskedHint(masked: string, tally: TextTally): string {
  const cut = canonicalHint(masked);
  if (cut !== masked) {
    const ends = hintEnds(masked);
    if (ends !== null && cut.length < ends.head.length + ends.tail.length) tally.redactions++;
  }
  return cleanText(cut, TEXT_LIMITS.hint, tally);
}

function labelOf(text: string, tally: TextTally): string {
  // Longer than it may get, so that a key which begins before the cut is seen whole.
  const clean = cleanText(text, TEXT_LIMITS.hint + LOOKAHEAD_CHARS, tally);
  const label = clean.replace(/\S+/g, (word) => {
    if (hintEnds(word) !== null) return maskedHint(word, tally);
    if (!looksLikeKey(word)) return word;
    tally.redactions++;
    return hintOf(word);
  });
  return cleanText(label, TEXT_LIMITS.hint, tally).trim();
}
