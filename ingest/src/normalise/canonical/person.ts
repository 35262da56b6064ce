import { canonicalDomain } from './host.ts';
import { foldedSpelling } from './spelling.ts';

/** `Ada Lovelace <ada@example.com>`, as Git writes an author. */
const NAME_AND_ADDRESS = /^[^<>]*<([^<>@\s]+@[^<>@\s]+)>$/;

/**
 * The one form of a person: an e-mail address or a log-in without differences of letter case, space and Unicode form, the address alone
 * where a name stands before it. Log-ins of two domains (`CORP\ada`, `LAB\ada`), addresses with and without a tag
 * (`ada+ci@example.com`), and an address and a bare log-in stay apart: they may be two people.
 */
export function canonicalPerson(user: string): string {
  const folded = foldedSpelling(user);
  const address = (NAME_AND_ADDRESS.exec(folded)?.[1] ?? folded).replace(/^mailto:(?=[^@]+@[^@]+$)/, '');
  const at = address.lastIndexOf('@');
  if (at <= 0 || at === address.length - 1) return address;
  return `${address.slice(0, at)}@${canonicalDomain(address.slice(at + 1))}`;
}
