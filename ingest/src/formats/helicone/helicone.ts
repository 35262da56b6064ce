import { failureOf } from '../../normalise/outcome.ts';
import { firstNumber, firstText, headersOf, isoTime, providerOfHost, statusOrNone } from '../access-log.ts';
import type { Decoded } from '../format.ts';
import { isJsonObject, type JsonObject, objectIn } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { tokensOfUsage } from '../provider-usage.ts';
import { identityOfFacts, recordFormat, type RecordMapper } from '../record.ts';

/** Helicone's custom log: a request and its answer as a program saw them. Of either only model, usage and status are read. */
export const heliconeMapper: RecordMapper = {
  name: 'helicone',
  claims: (record) => isJsonObject(record.providerRequest) && isJsonObject(record.providerResponse),
  *map(record): Generator<Decoded> {
    yield { kind: 'event', input: eventOf(record) };
  },
};

export const heliconeFormat = recordFormat(heliconeMapper, {
  path: '/custom/v1/log',
  summary: 'Helicone custom logs',
  description: 'What the manual logger of @helicone/helpers posts; the collector key stands where its own key would.',
});

function eventOf(record: JsonObject): JsonObject {
  const request = objectIn(record, 'providerRequest');
  const response = objectIn(record, 'providerResponse');
  const answer = objectIn(response, 'json');
  const timing = objectIn(record, 'timing');
  const start = millisecondsOf(timing.startTime);
  const end = millisecondsOf(timing.endTime) ?? start;
  // The documentation puts them into meta, the helper into the answer's headers.
  const named = { ...headersOf(response.headers), ...headersOf(request.meta) };
  const property = (name: string) => firstText(named, `helicone-property-${name}`);
  const status = statusOrNone(firstNumber(response, 'status'));
  const usage = isJsonObject(answer.usage) ? answer.usage : objectIn(answer, 'usageMetadata');
  const model = firstText(answer, 'model', 'modelVersion') ?? firstText(objectIn(request, 'json'), 'model');
  const requestId = firstText(named, 'helicone-request-id') ?? firstText(answer, 'id');
  return {
    source: 'helicone',
    id: identityOfFacts(requestId, start, end, model, firstText(request, 'url'), usage),
    time: isoTime(end),
    user: firstText(named, 'helicone-user-id'),
    session: firstText(named, 'helicone-session-id'),
    response_id: firstText(answer, 'id'),
    agent: { name: property('app') ?? firstText(named, 'helicone-session-name') },
    repo: property('repo') ?? property('repository'),
    branch: property('branch'),
    environment: property('environment') ?? property('env'),
    provider: providerOfHost(hostOf(firstText(request, 'url'))),
    model,
    action: 'execution',
    outcome: status !== undefined && status >= 400 ? failureOf(status) : 'success',
    status_code: status,
    tokens: tokensOfUsage(usage),
    latency_ms: latencyOrNone(start === undefined || end === undefined ? undefined : end - start),
    reporter: 'proxy',
  };
}

/** Seconds and milliseconds stand in two fields. */
function millisecondsOf(value: unknown): number | undefined {
  if (!isJsonObject(value)) return undefined;
  const seconds = firstNumber(value, 'seconds');
  return seconds === undefined ? undefined : seconds * 1000 + (firstNumber(value, 'milliseconds') ?? 0);
}

const hostOf = (url: string | undefined) => /^https?:\/\/([^/?#]+)/i.exec(url ?? '')?.[1];
