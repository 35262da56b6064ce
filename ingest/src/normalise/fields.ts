import { createHash } from 'node:crypto';
import { LATENCY_MS_MAX } from '../../contract/usage-event.ts';
import { cleanText, cut, type TextTally } from './text.ts';

/* Readers of one field each: what stands there, or a fault that names the field and never repeats the value. */

/** One thing that is wrong with an event. Never repeats the value: it could be a secret. */
export interface EventFault {
  path: string;
  message: string;
}

/** 64 bits, as many as the detector compares. */
const IDENTITY_HASH_CHARS = 16;

/** Faults reported per event at most; a sender who sees 16 has a wrong format, not 17 mistakes. */
const FAULTS_MAX = 16;

/** Any value may stand in any field until it was looked at. */
export type Unchecked<T> = { [K in keyof T]?: unknown };

/** The state of one normalisation. Plain data in a closure-free shape, because this runs for every event. */
export interface Pass extends TextTally {
  faults: EventFault[];
  /** Known fields that were present, to tell the unknown ones by subtraction instead of looking each name up. */
  seen: number;
}

export function fault(pass: Pass, path: string, message: string): void {
  if (pass.faults.length < FAULTS_MAX) pass.faults.push({ path, message });
}

/** null means absent, as in CloudEvents and as Python clients write it. */
export function isAbsent(pass: Pass, value: unknown): value is undefined | null {
  if (value === undefined) return true;
  pass.seen++;
  return value === null;
}

export function text(pass: Pass, path: string, value: unknown, limit: number): string {
  if (isAbsent(pass, value)) return '';
  if (typeof value === 'string') return cleanText(value, limit, pass);
  fault(pass, path, 'must be a text');
  return '';
}

export function identity(pass: Pass, path: string, value: unknown, limit: number): string {
  if (isAbsent(pass, value)) {
    fault(pass, path, `is required: with source and id an event is told from every other for ever`);
    return '';
  }
  if (typeof value !== 'string') fault(pass, path, 'must be a text');
  else if (value === '') fault(pass, path, 'must not be empty');
  else if (value.length > limit) fault(pass, path, `must have at most ${limit} characters; an identity is never cut`);
  else return cleanIdentity(value, limit, pass);
  return '';
}

/**
 * An identity that had to be changed (a secret in it, a control character, a lone surrogate) gets part of its hash, so that two
 * identities do not become one.
 */
function cleanIdentity(value: string, limit: number, pass: Pass): string {
  const clean = cleanText(value, limit, pass);
  if (clean === value) return clean;
  // Over UTF-16, because in UTF-8 all lone surrogates are the same.
  const hash = createHash('sha256').update(value, 'utf16le').digest('hex').slice(0, IDENTITY_HASH_CHARS);
  return `${cut(clean, limit - IDENTITY_HASH_CHARS - 1)}~${hash}`;
}

export function whole(pass: Pass, path: string, value: unknown, max: number): number {
  if (isAbsent(pass, value)) return 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value + 0;
  fault(pass, path, `must be a whole number from 0 to ${max}`);
  return 0;
}

export function oneOf<T extends string>(pass: Pass, path: string, value: unknown, allowed: readonly T[]): T | null {
  if (isAbsent(pass, value)) return null;
  for (const option of allowed) if (value === option) return option;
  fault(pass, path, `must be one of ${allowed.join(', ')}`);
  return null;
}

export const NOTHING: Record<string, never> = Object.freeze({});

export function group<T>(pass: Pass, path: string, value: unknown): Unchecked<T> {
  if (isAbsent(pass, value)) return NOTHING;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Unchecked<T>;
  fault(pass, path, 'must be an object');
  return NOTHING;
}

/** Fields present that were not asked for, of an object whose known fields raised `pass.seen` from `seenBefore`. */
export function unknownFields(object: object, pass: Pass, seenBefore: number): number {
  const known = pass.seen - seenBefore;
  const present = Object.keys(object).length;
  // A field that our own mappers set to undefined was not sent.
  return present === known ? 0 : Object.values(object).filter((value) => value !== undefined).length - known;
}

export function rawText(pass: Pass, path: string, value: unknown): string {
  if (isAbsent(pass, value)) return '';
  if (typeof value === 'string') return value;
  fault(pass, path, 'must be a text');
  return '';
}

export function latency(pass: Pass, value: unknown): number {
  if (isAbsent(pass, value)) return 0;
  if (typeof value === 'number' && value >= 0 && value <= LATENCY_MS_MAX) return Math.round(value);
  fault(pass, 'latency_ms', `must be a number from 0 to ${LATENCY_MS_MAX}`);
  return 0;
}
