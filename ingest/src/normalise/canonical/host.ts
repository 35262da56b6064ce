import { domainToASCII } from 'node:url';
import { canonicalAddress } from './address.ts';
import { foldedSpelling } from './spelling.ts';

const WITH_PORT = /^([\p{L}\p{N}._-]+):\d{1,5}$/u;
const WORDS_OF_A_DOMAIN = /^[\p{L}\p{M}\p{N}._-]+$/u;
const NOT_ASCII = /[^\x20-\x7e]/;

/** The one form of a folded domain name: without the root's dot, and with letters beyond ASCII as DNS writes them (`xn--`). */
export function canonicalDomain(domain: string): string {
  const bare = domain.length > 1 && domain.endsWith('.') && !domain.endsWith('..') ? domain.slice(0, -1) : domain;
  if (!NOT_ASCII.test(bare) || !WORDS_OF_A_DOMAIN.test(bare)) return bare;
  // '' for what is no domain.
  return domainToASCII(bare) || bare;
}

/** The one form of a host name: folded, without port and the root's dot; an address in the form of addresses. */
export function canonicalHost(host: string): string {
  const folded = foldedSpelling(host);
  const address = canonicalAddress(folded);
  if (address !== folded) return address;
  return canonicalDomain(WITH_PORT.exec(folded)?.[1] ?? folded);
}
