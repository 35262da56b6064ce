import { failureOf } from '../../normalise/outcome.ts';
import { firstNumber, firstText, isoTime, statusOrNone } from '../access-log.ts';
import type { Decoded } from '../format.ts';
import { type JsonObject, objectIn } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { identityOfFacts, recordFormat, type RecordMapper } from '../record.ts';
import { disjointTokens } from '../token-counts.ts';

/** Rows of Portkey's log export. Virtual keys are known by their slug, costs are in cents. */
export const portkeyMapper: RecordMapper = {
  name: 'portkey',
  claims: (record) => record.ai_model !== undefined && record.created_at !== undefined,
  *map(record): Generator<Decoded> {
    yield { kind: 'event', input: eventOf(record) };
  },
};

export const portkeyFormat = recordFormat(portkeyMapper, {
  path: '/v1/portkey',
  summary: 'Portkey log export',
  description:
    'The JSONL of a log export, with the fields created_at, ai_org, ai_model, req_units, res_units, cost and so on.',
});

function eventOf(record: JsonObject): JsonObject {
  const metadata = objectIn(record, 'metadata');
  // Exports write metadata as an object or as columns of their own.
  const tag = (name: string) => firstText(metadata, name) ?? firstText(record, `metadata.${name}`);
  const key = firstText(record, 'virtual_key');
  const status = statusOrNone(firstNumber(record, 'response_status_code'));
  const succeeded =
    record.is_success === undefined
      ? (status ?? 200) < 400
      : firstNumber(record, 'is_success') === 1 || record.is_success === true;
  const cents = firstNumber(record, 'cost');
  const created = firstText(record, 'created_at');
  const facts = [
    'trace_id',
    'created_at',
    'ai_model',
    'req_units',
    'res_units',
    'response_time',
    'response_status_code',
  ];
  return {
    source: 'portkey',
    id: firstText(record, 'id', 'request_id') ?? identityOfFacts(...facts.map((name) => record[name])),
    time: created === undefined ? undefined : (isoTime(Date.parse(withZone(created))) ?? created),
    credential: key === undefined ? undefined : { hint: key, provider: 'portkey', kind: 'api_key' },
    user: tag('_user') ?? tag('user'),
    session: tag('session') ?? firstText(record, 'trace_id'),
    agent: { name: tag('app') ?? tag('agent') },
    repo: tag('repo'),
    branch: tag('branch'),
    environment: tag('_environment') ?? tag('environment'),
    provider: firstText(record, 'ai_org'),
    model: firstText(record, 'ai_model'),
    module: firstText(record, 'config'),
    action: 'execution',
    outcome: succeeded ? 'success' : failureOf(status),
    status_code: status,
    tokens: disjointTokens(
      { input: firstNumber(record, 'req_units'), output: firstNumber(record, 'res_units'), total: undefined },
      'inclusive',
    ),
    cost_usd: cents === undefined || cents === 0 ? undefined : cents / 100,
    latency_ms: latencyOrNone(firstNumber(record, 'response_time')),
    reporter: 'proxy',
  };
}

/** Databases export times without a zone, in UTC. */
const withZone = (time: string) => (/(Z|[+-]\d\d:?\d\d)$/i.test(time) ? time : `${time.replace(' ', 'T')}Z`);
