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
  names: readonly string[];
  /** Members of the JSON object `sent_as`, with a comma before each; '' where nothing differs. */
  sentAs: string;
}

/** Distinct spellings remembered per rule. They come from senders, so their number must be bounded. */
const REMEMBERED_MAX = 10_000;

/**
 * A rule that remembers. Nearly every event repeats names that came before, so what an event costs here is a look-up for each, and the
 * scan for secrets, which the names of a first sight go through, is saved.
 */
function rule(columns: readonly NamedColumn[], canonicalOf: (...sent: string[]) => readonly string[]) {
  const remembered = new Map<string, Canonical>();
  const limits = columns.map((column) => TEXT_LIMITS[column]);

  const formOf = (texts: readonly string[]) =>
    canonicalOf(...texts).map((name, at) => cut(name, limits[at]!).trimEnd());

  return (sent: readonly string[], key: string, tally: TextTally): Canonical => {
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const { redactions, truncated } = tally;
    tally.truncated = false;
    const clean = sent.map((text, at) => cleanText(text, limits[at]!, tally));
    const names = settled(clean, formOf);
    const secretsBefore = tally.redactions;
    // What was no secret as it was sent may have become one, without the unseen characters in it say.
    const safe = names.map((name, at) => (name === clean[at] ? name : redactSecrets(name, tally)));
    const isSafe = tally.redactions === secretsBefore;
    let sentAs = '';
    for (const [at, column] of columns.entries())
      if (isSafe && clean[at] !== '' && clean[at] !== safe[at]) sentAs += `,"${column}":${JSON.stringify(clean[at])}`;
    const canonical = { names: safe, sentAs };
    if (tally.redactions === redactions && !tally.truncated) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      remembered.set(key, canonical);
    }
    tally.truncated ||= truncated;
    return canonical;
  };
}

/** The form of texts, or the texts where that form would have yet another: nothing real is written so, and one of them must be the name. */
function settled(texts: readonly string[], formOf: (texts: readonly string[]) => readonly string[]): readonly string[] {
  const names = formOf(texts);
  const again = formOf(names);
  return names.every((name, at) => name === again[at]) ? names : texts;
}

const person = rule(['user'], (user) => [canonicalPerson(user!)]);
const address = rule(['ip'], (ip) => [canonicalAddress(ip!)]);
const host = rule(['host'], (name) => [canonicalHost(name!)]);
const repository = rule(['repo'], (repo) => [canonicalRepository(repo!)]);
const agent = rule(['agent', 'agent_version'], (name, version) => {
  const named = canonicalAgent(name!, version!);
  return [named.name, named.version];
});
const model = rule(['provider', 'served_by', 'model'], (provider, servedBy, name) => {
  const named = canonicalModel(provider!, servedBy!, name!);
  return [named.provider, named.servedBy, named.model];
});

const NOTHING: Canonical = { names: ['', '', ''], sentAs: '' };

/** The canonical names of an event, and `sent_as`: the spellings that differ, as compact JSON. */
export function canonicalNames(sent: Names, tally: TextTally): Names & Pick<UsageEvent, 'sent_as'> {
  const user = sent.user === '' ? NOTHING : person([sent.user], sent.user, tally);
  const ip = sent.ip === '' ? NOTHING : address([sent.ip], sent.ip, tally);
  const hostName = sent.host === '' ? NOTHING : host([sent.host], sent.host, tally);
  const repo = sent.repo === '' ? NOTHING : repository([sent.repo], sent.repo, tally);
  const program =
    sent.agent === '' && sent.agent_version === ''
      ? NOTHING
      : agent([sent.agent, sent.agent_version], `${sent.agent.length} ${sent.agent}${sent.agent_version}`, tally);
  const served =
    sent.model === '' && sent.provider === '' && sent.served_by === ''
      ? NOTHING
      : model(
          [sent.provider, sent.served_by, sent.model],
          `${sent.provider.length} ${sent.served_by.length} ${sent.provider}${sent.served_by}${sent.model}`,
          tally,
        );
  const sentAs = user.sentAs + ip.sentAs + hostName.sentAs + repo.sentAs + program.sentAs + served.sentAs;
  return {
    user: user.names[0]!,
    ip: ip.names[0]!,
    host: hostName.names[0]!,
    repo: repo.names[0]!,
    agent: program.names[0]!,
    agent_version: program.names[1]!,
    provider: served.names[0]!,
    served_by: served.names[1]!,
    model: served.names[2]!,
    sent_as: sentAs === '' ? '' : `{${sentAs.slice(1)}}`,
  };
}
