import type { Report } from './correction.ts';

/** Whom to believe first: the program knows who works where on what and what it cost, the proxy what became of the request. */
const AGENT_FIRST = ['agent', 'sdk', 'proxy', 'import', ''] as const;
const PROXY_FIRST = ['proxy', 'agent', 'sdk', 'import', ''] as const;

/** What names the key, taken together: an organisation belongs to its hint. */
const KEY = [
  'fingerprint',
  'hint',
  'credential_provider',
  'credential_kind',
  'standing',
  'match',
  'credential_id',
] as const;
const TEXTS_OF_AGENT = [
  ...(['org', 'user', 'host', 'agent', 'session', 'request_id', 'response_id', 'repo', 'branch'] as const),
  ...(['provider', 'model', 'module', 'environment', 'operation', 'served_by', 'rate_limits'] as const),
];
const SENT_AS_MAX = 4_096;

export const tokensOf = (report: Report): number =>
  report.tokens_input_uncached + report.tokens_cache_read + report.tokens_cache_write + report.tokens_output;

/** Of sources that begin so the observing proxy is one: it passes keys on as they are. */
const OBSERVING_PROXY = 'proxy/';

/**
 * The report whose key counts: that which a proxy saw. Where a gateway exchanged keys it is the client's, which tells who answers for the request; the
 * one that the provider bills is shared by everybody behind the gateway. The longer a gateway took, the nearer to the client it stands.
 */
function keyed(proxies: readonly Report[]): Report {
  const named = proxies.filter(({ fingerprint }) => fingerprint !== '');
  const gateways = named.filter(({ reporter, source }) => reporter === 'proxy' && !source.startsWith(OBSERVING_PROXY));
  const outermost = gateways.toSorted((left, right) => right.latency_ms - left.latency_ms)[0];
  return outermost ?? named[0] ?? proxies.find(({ hint }) => hint !== '') ?? proxies[0]!;
}

/** The best of several reports of one request. Pure, and the same whatever their order. */
export function bestOf(reports: readonly Report[]): Report {
  const byOrder = (order: readonly Report['reporter'][]) =>
    reports.toSorted(
      (left, right) =>
        order.indexOf(left.reporter) - order.indexOf(right.reporter) ||
        (left.source + left.id < right.source + right.id ? -1 : 1),
    );
  const agents = byOrder(AGENT_FIRST);
  const proxies = byOrder(PROXY_FIRST);
  const key = keyed(proxies);
  const used = agents.find((report) => tokensOf(report) > 0) ?? agents[0]!;
  const priced =
    agents.find(({ cost_basis }) => cost_basis === 'reported') ??
    agents.find(({ cost_basis }) => cost_basis === 'estimated') ??
    agents[0]!;
  const ended = proxies.find(({ status_code }) => status_code > 0) ?? proxies[0]!;

  const sentAs: Record<string, string> = {};
  const take = (from: Report, columns: readonly (keyof Report)[], into: Report): void => {
    const own = sentAsOf(from);
    for (const column of columns) {
      Object.assign(into, { [column]: from[column] });
      if (own[column] !== undefined) sentAs[column] = own[column];
    }
  };
  const merged = { ...key };
  for (const column of TEXTS_OF_AGENT) {
    const from = agents.find((report) => report[column] !== '');
    if (from !== undefined) take(from, column === 'agent' ? [column, 'agent_version'] : [column], merged);
  }
  take(proxies.find(({ ip }) => ip !== '') ?? key, ['ip'], merged);
  take(key, KEY, merged);
  // The lane of a key that is known by its hint follows from both.
  if (key.fingerprint === '' && key.hint !== '') take(key, ['org'], merged);
  take(used, ['tokens_input_uncached', 'tokens_cache_read', 'tokens_cache_write', 'tokens_output'], merged);
  take(priced, ['cost_nano_usd', 'cost_basis'], merged);
  take(ended, ['outcome', 'status_code'], merged);
  take(proxies.find(({ latency_ms }) => latency_ms > 0) ?? key, ['latency_ms'], merged);
  const sent_as = Object.keys(sentAs).length === 0 ? '' : JSON.stringify(sentAs);
  return {
    ...merged,
    action: reports.some(({ action }) => action === 'execution') ? 'execution' : 'access',
    flags: [...new Set(agents.flatMap(({ flags }) => flags))].slice(0, 15),
    reporter: agents[0]!.reporter,
    sent_as: sent_as.length > SENT_AS_MAX ? '' : sent_as,
  };
}

function sentAsOf({ sent_as }: Report): Record<string, string> {
  if (sent_as === '') return {};
  try {
    return JSON.parse(sent_as) as Record<string, string>;
  } catch {
    return {};
  }
}
