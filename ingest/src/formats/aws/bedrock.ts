import { firstNumber, firstText } from '../access-log.ts';
import type { Decoded } from '../format.ts';
import { type JsonObject, objectIn } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { identityOfFacts, type RecordMapper } from '../record.ts';
import { disjointTokens } from '../token-counts.ts';
import { modelOf, outcomeOf, principalOf } from './principal.ts';

/**
 * Amazon Bedrock's log of model invocations, as it lies in S3 and CloudWatch Logs: who asked which model, and its tokens. The bodies that stand beside are
 * read for nothing but the answer's id and time. https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
 */
export const bedrockMapper: RecordMapper = {
  name: 'aws-bedrock',
  claims: ({ schemaType }) => schemaType === 'ModelInvocationLog',
  *map(record): Generator<Decoded> {
    yield { kind: 'event', input: eventOf(record) };
  },
};

function eventOf(record: JsonObject): JsonObject {
  const [input, output] = [objectIn(record, 'input'), objectIn(record, 'output')];
  const answer = objectIn(output, 'outputBodyJson');
  const requestId = firstText(record, 'requestId');
  const { hint, user, account } = principalOf(firstText(objectIn(record, 'identity'), 'arn'));
  return {
    source: 'aws-bedrock',
    id: requestId ?? identityOfFacts(record.timestamp, record.modelId, hint, record.operation),
    time: firstText(record, 'timestamp'),
    credential: hint === undefined ? undefined : { hint, provider: 'aws', kind: 'api_key' },
    org: firstText(record, 'accountId') ?? account,
    user,
    request_id: requestId,
    response_id: firstText(answer, 'id'),
    provider: 'bedrock',
    model: modelOf(firstText(record, 'modelId')),
    operation: firstText(record, 'operation'),
    outcome: outcomeOf(firstText(record, 'errorCode')),
    // As Bedrock counts, input leaves out what went through the cache.
    tokens: disjointTokens(
      {
        input: firstNumber(input, 'inputTokenCount'),
        cacheRead: firstNumber(input, 'cacheReadInputTokenCount'),
        cacheWrite: firstNumber(input, 'cacheWriteInputTokenCount'),
        output: firstNumber(output, 'outputTokenCount'),
      },
      'exclusive',
    ),
    latency_ms: latencyOrNone(firstNumber(objectIn(answer, 'metrics'), 'latencyMs') ?? null),
    reporter: 'import',
  };
}
