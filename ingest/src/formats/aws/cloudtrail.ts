import { fingerprintOf, hintOf } from '../../../contract/index.ts';
import { firstText } from '../access-log.ts';
import type { Decoded } from '../format.ts';
import { isJsonObject, type JsonObject, objectIn } from '../json-body.ts';
import { identityOfFacts, type RecordMapper } from '../record.ts';
import { modelOf, outcomeOf, principalOf } from './principal.ts';

const isBedrock = ({ eventSource }: JsonObject): boolean =>
  typeof eventSource === 'string' && /^bedrock(-[\w-]+)?\.amazonaws\.com$/.test(eventSource);
const isOfCloudTrail = ({ eventVersion, eventSource }: JsonObject): boolean =>
  typeof eventVersion === 'string' && typeof eventSource === 'string';

/**
 * CloudTrail's events of Amazon Bedrock, alone or as the file that CloudTrail writes: which access key, from where, and what was denied. They have no
 * tokens; the invocation log has. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
export const cloudTrailMapper: RecordMapper = {
  name: 'aws-cloudtrail',
  claims: (record) => isOfCloudTrail(record) || (Array.isArray(record.Records) && record.Records.some(isJsonObject)),
  *map(record): Generator<Decoded> {
    const events = Array.isArray(record.Records) ? (record.Records as unknown[]) : [record];
    for (const event of events)
      if (isJsonObject(event) && isBedrock(event)) yield { kind: 'event', input: eventOf(event) };
      else yield { kind: 'ignored', what: 'other_record', count: 1 };
  },
};

function eventOf(event: JsonObject): JsonObject {
  const identity = objectIn(event, 'userIdentity');
  const { hint, user, account } = principalOf(firstText(identity, 'arn'));
  const accessKeyId = firstText(identity, 'accessKeyId');
  const operation = firstText(event, 'eventName');
  return {
    source: 'aws-cloudtrail',
    id: firstText(event, 'eventID') ?? identityOfFacts(event.eventTime, event.requestID, operation, hint),
    time: firstText(event, 'eventTime'),
    credential: credentialOf(accessKeyId, hint),
    org: firstText(event, 'recipientAccountId') ?? firstText(identity, 'accountId') ?? account,
    user: user ?? firstText(identity, 'userName'),
    ip: firstText(event, 'sourceIPAddress'),
    agent: { name: firstText(event, 'userAgent') },
    request_id: firstText(event, 'requestID'),
    provider: 'bedrock',
    model: modelOf(firstText(objectIn(event, 'requestParameters'), 'modelId')),
    action: /^(Invoke|Converse)/.test(operation ?? '') ? 'execution' : 'access',
    operation,
    outcome: outcomeOf(firstText(event, 'errorCode')),
    reporter: 'import',
  };
}

/**
 * A key that lasts (AKIA…) by its id; one that a sign-in or role gave (ASIA…) is another every hour, so there the principal names the lane. Services of
 * AWS that call for themselves have neither.
 */
function credentialOf(accessKeyId: string | undefined, hint: string | undefined): JsonObject | undefined {
  const shared = { provider: 'aws', kind: 'api_key' };
  if (accessKeyId?.startsWith('AKIA'))
    return { fingerprint: fingerprintOf(accessKeyId), hint: hintOf(accessKeyId), ...shared };
  return hint === undefined ? undefined : { hint, ...shared };
}
