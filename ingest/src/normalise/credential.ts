import { canonicalFingerprint, fingerprintOf, isFingerprint } from '../../contract/fingerprint.ts';
import { hintOf, providerOfKey } from '../../contract/hint.ts';
import {
  CREDENTIAL_KINDS,
  type Flag,
  TEXT_LIMITS,
  type UsageEvent,
  type UsageEventInput,
} from '../../contract/usage-event.ts';
import { wholeApiKey } from '../redact/redact.ts';
import { fault, group, NOTHING, oneOf, type Pass, rawText, text, unknownFields } from './fields.ts';
import { readHint } from './hint.ts';

export interface NormaliseOptions {
  /** Epoch milliseconds. */
  receivedAt: number;
  /** Credential id of the collector; '' for a producer of its own. */
  collector: string;
  /**
   * What to do with a fingerprint that is none: refuse the event, so that the sender learns of it, or drop the fingerprint and
   * flag the event, where the sender cannot act on an answer. Default `reject`.
   */
  invalidFingerprint?: 'reject' | 'drop';
}

interface Credential {
  fingerprint: string;
  hint: string;
  provider: string;
  kind: UsageEvent['credential_kind'] | null;
}

/**
 * The credential as named by the event. A raw key in any of its fields never goes further: it becomes fingerprint and hint here.
 */
export function credential(
  pass: Pass,
  value: unknown,
  flags: Flag[],
  options: NormaliseOptions,
): Credential & { dropped: number } {
  const input = group<NonNullable<UsageEventInput['credential']>>(pass, 'credential', value);
  const seenBefore = pass.seen;
  let fingerprint = '';
  let hint = '';
  let rawKey: string | null = null;

  const givenFingerprint = rawText(pass, 'credential.fingerprint', input.fingerprint);
  if (givenFingerprint !== '') {
    if (isFingerprint(givenFingerprint)) fingerprint = givenFingerprint;
    else {
      rawKey = wholeApiKey(givenFingerprint);
      fingerprint = rawKey === null ? (canonicalFingerprint(givenFingerprint) ?? '') : fingerprintOf(rawKey);
      if (fingerprint === '') refuseFingerprint(pass, flags, options);
    }
  }
  const givenHint = rawText(pass, 'credential.hint', input.hint);
  if (givenHint !== '') {
    const read = readHint(givenHint, pass);
    hint = read.hint;
    rawKey ??= read.rawKey;
    if (fingerprint === '') fingerprint = read.rawKey === null ? read.fingerprint : fingerprintOf(read.rawKey);
  }
  if (rawKey !== null) {
    flags.push('raw_key_hashed');
    pass.redactions++;
    if (hint === '') hint = hintOf(rawKey);
  }
  const provider = text(pass, 'credential.provider', input.provider, TEXT_LIMITS.credential_provider);
  const kind = oneOf(pass, 'credential.kind', input.kind, CREDENTIAL_KINDS);
  return {
    fingerprint,
    hint,
    provider: provider === '' && hint !== '' ? providerOfKey(hint) : provider,
    kind,
    dropped: input === NOTHING ? 0 : unknownFields(input, pass, seenBefore),
  };
}

function refuseFingerprint(pass: Pass, flags: Flag[], options: NormaliseOptions): void {
  if (options.invalidFingerprint === 'drop') flags.push('fingerprint_invalid');
  else fault(pass, 'credential.fingerprint', 'must be the SHA-256 of the key as 64 hexadecimal digits, or be left out');
}
