import { TEXT_LIMITS, type UsageEvent } from '../../../contract/usage-event.ts';
import { redactSecrets } from '../../redact/redact.ts';
import { cleanText, cut, type TextTally } from '../text.ts';
import { canonicalAddress } from './address.ts';
import { canonicalAgent } from './agent.ts';
import { canonicalHost } from './host.ts';
import { canonicalModel } from './model.ts';
import { canonicalPerson } from './person.ts';
import { canonicalRepository } from './repository.ts';

/**
 * One thing, one name: people, endpoints, agents, repositories and models are counted, and every spelling of one would be another. Here
 * each gets the one form of its dimension; the rules are in the files beside this one, the table of them in ingest/README.md.
 */

/** Columns that have a canonical form. */
type NamedColumn = 'user' | 'ip' | 'host' | 'agent' | 'agent_version' | 'repo' | 'provider' | 'served_by' | 'model';
type Names = Pick<UsageEvent, NamedColumn>;

/** Names that belong together and what became of them. */
interface Canonical {
  /** What was sent beside the name that it is remembered by. */
  readonly others: readonly [string, string];
  readonly names: readonly string[];
  /** Members of the JSON object `sent_as`, with a comma before each; '' where nothing differs. */
  readonly sentAs: string;
  /** Remembered under the same name, with other others. */
  readonly next: Canonical | null;
}

/** A rule with what it remembers. */
interface Rule {
  readonly columns: readonly NamedColumn[];
  readonly limits: readonly number[];
  canonicalOf(...sent: string[]): readonly string[];
  readonly remembered: Map<string, Canonical>;
}

/** Distinct spellings remembered per rule. They come from senders, so their number must be bounded. */
const REMEMBERED_MAX = 10_000;
/** Of these with the same name but other others, such as versions of an agent. */
const CHAIN_MAX = 16;

function rule(columns: readonly NamedColumn[], canonicalOf: Rule['canonicalOf']): Rule {
  return { columns, limits: columns.map((column) => TEXT_LIMITS[column]), canonicalOf, remembered: new Map() };
}

const person = rule(['user'], (user) => [canonicalPerson(user!)]);
const address = rule(['ip'], (ip) => [canonicalAddress(ip!)]);
const host = rule(['host'], (name) => [canonicalHost(name!)]);
const repository = rule(['repo'], (repo) => [canonicalRepository(repo!)]);
const agent = rule(['agent', 'agent_version'], (name, version) => {
  const named = canonicalAgent(name!, version!);
  return [named.name, named.version];
});
const model = rule(['model', 'provider', 'served_by'], (name, provider, servedBy) => {
  const named = canonicalModel(provider!, servedBy!, name!);
  return [named.model, named.provider, named.servedBy];
});

/**
 * What a rule makes of names, remembered. Nearly every event repeats names that came before, so what an event costs here is a look-up for
 * each, and the scan for secrets, which the names of a first sight go through, is saved.
 */
function apply(by: Rule, name: string, other: string, third: string, tally: TextTally): Canonical {
  const first = by.remembered.get(name);
  for (let one = first ?? null; one !== null; one = one.next)
    if (one.others[0] === other && one.others[1] === third) return one;
  return firstSight(by, [name, other, third], first ?? null, tally);
}

function firstSight(
  { columns, limits, canonicalOf, remembered }: Rule,
  sent: readonly [string, string, string],
  next: Canonical | null,
  tally: TextTally,
): Canonical {
  const { redactions, truncated } = tally;
  tally.truncated = false;
  const clean = columns.map((_, at) => cleanText(sent[at]!, limits[at]!, tally));
  const names = settled(clean, (texts) => canonicalOf(...texts).map((name, at) => cut(name, limits[at]!).trimEnd()));
  const secretsBefore = tally.redactions;
  // What was no secret as it was sent may have become one, without the unseen characters in it say.
  const safe = names.map((name, at) => (name === clean[at] ? name : redactSecrets(name, tally)));
  const isSafe = tally.redactions === secretsBefore;
  let sentAs = '';
  for (const [at, column] of columns.entries())
    if (isSafe && clean[at] !== '' && clean[at] !== safe[at]) sentAs += `,"${column}":${JSON.stringify(clean[at])}`;
  const canonical = { others: [sent[1], sent[2]] as const, names: safe, sentAs, next };
  if (tally.redactions === redactions && !tally.truncated) {
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(sent[0], lengthOf(next) < CHAIN_MAX ? canonical : { ...canonical, next: null });
  }
  tally.truncated ||= truncated;
  return canonical;
}

function lengthOf(chain: Canonical | null): number {
  let length = 0;
  for (let one = chain; one !== null; one = one.next) length++;
  return length;
}

/** The form of texts, or the texts where that form would have yet another: nothing real is written so, and one of them must be the name. */
function settled(texts: readonly string[], formOf: (texts: readonly string[]) => readonly string[]): readonly string[] {
  const names = formOf(texts);
  const again = formOf(names);
  return names.every((name, at) => name === again[at]) ? names : texts;
}

const NOTHING: Canonical = { others: ['', ''], names: ['', '', ''], sentAs: '', next: null };

/** The canonical names of an event, and `sent_as`: the spellings that differ, as compact JSON. */
export function canonicalNames(sent: Names, tally: TextTally): Names & Pick<UsageEvent, 'sent_as'> {
  const user = sent.user === '' ? NOTHING : apply(person, sent.user, '', '', tally);
  // Machines are many, and their addresses mostly plain.
  const ip = sent.ip === '' || isPlainIpv4(sent.ip) ? NOTHING : apply(address, sent.ip, '', '', tally);
  const hostName = sent.host === '' ? NOTHING : apply(host, sent.host, '', '', tally);
  const repo = sent.repo === '' ? NOTHING : apply(repository, sent.repo, '', '', tally);
  const program =
    sent.agent === '' && sent.agent_version === '' ? NOTHING : apply(agent, sent.agent, sent.agent_version, '', tally);
  const served =
    sent.model === '' && sent.provider === '' && sent.served_by === ''
      ? NOTHING
      : apply(model, sent.model, sent.provider, sent.served_by, tally);
  const sentAs = user.sentAs + ip.sentAs + hostName.sentAs + repo.sentAs + program.sentAs + served.sentAs;
  return {
    user: user.names[0]!,
    ip: ip === NOTHING ? sent.ip : ip.names[0]!,
    host: hostName.names[0]!,
    repo: repo.names[0]!,
    agent: program.names[0]!,
    agent_version: program.names[1]!,
    provider: served.names[1]!,
    served_by: served.names[2]!,
    model: served.names[0]!,
    sent_as: sentAs === '' ? '' : `{${sentAs.slice(1)}}`,
  };
}

/** Digits and dots alone, and no more of them than an address has: nothing to do, and nothing in it that could be a secret. */
function isPlainIpv4(ip: string): boolean {
  if (ip.length > IPV4_CHARS_MAX) return false;
  for (let at = 0; at < ip.length; at++) {
    const code = ip.charCodeAt(at);
    if (code !== 0x2e && (code < 0x30 || code > 0x39)) return false;
  }
  return true;
}

const IPV4_CHARS_MAX = 15;
