import { fingerprintOf, hintOf } from '../../../contract/index.ts';
import { firstNumber, firstText } from '../access-log.ts';
import type { Decoded } from '../format.ts';
import { type JsonObject, objectIn } from '../json-body.ts';
import { identityOfFacts, type RecordMapper } from '../record.ts';

const AUDIT_LOG = 'type.googleapis.com/google.cloud.audit.AuditLog';
const MODEL_SERVICES = ['aiplatform.googleapis.com', 'generativelanguage.googleapis.com'];

/** Codes of gRPC that say who was refused: permission denied, unauthenticated, and exhausted. */
const DENIED = [7, 16];
const EXHAUSTED = 8;

/**
 * Google Cloud's audit logs of Vertex AI (data access must be switched on): which principal, with which key of a service account, asked which model. They have
 * no tokens. https://cloud.google.com/logging/docs/audit/understanding-audit-logs
 */
export const gcpAuditMapper: RecordMapper = {
  name: 'gcp-audit',
  claims: ({ protoPayload }) => objectIn({ protoPayload }, 'protoPayload')['@type'] === AUDIT_LOG,
  *map(record): Generator<Decoded> {
    const payload = objectIn(record, 'protoPayload');
    if (MODEL_SERVICES.includes(String(payload.serviceName))) yield { kind: 'event', input: eventOf(record, payload) };
    else yield { kind: 'ignored', what: 'other_record', count: 1 };
  },
};

function eventOf(record: JsonObject, payload: JsonObject): JsonObject {
  const who = objectIn(payload, 'authenticationInfo');
  const from = objectIn(payload, 'requestMetadata');
  const method = firstText(payload, 'methodName');
  const resource = firstText(payload, 'resourceName');
  const principal = firstText(who, 'principalEmail');
  const keyId = firstText(who, 'serviceAccountKeyName')?.split('/').at(-1);
  const code = firstNumber(objectIn(payload, 'status'), 'code') ?? 0;
  return {
    source: 'gcp-audit',
    id: identityOfFacts(record.insertId, record.timestamp, record.logName),
    time: firstText(record, 'timestamp'),
    credential:
      keyId !== undefined
        ? { fingerprint: fingerprintOf(keyId), hint: hintOf(keyId), provider: 'google', kind: 'api_key' }
        : principal === undefined
          ? undefined
          : { hint: principal, provider: 'google', kind: 'oauth' },
    org: /^projects\/([^/]+)/.exec(resource ?? '')?.[1],
    user: principal,
    ip: firstText(from, 'callerIp'),
    agent: { name: firstText(from, 'callerSuppliedUserAgent') },
    provider: 'vertex',
    model: /\/models\/([^/:@]+)/.exec(resource ?? '')?.[1],
    action: /(Predict|GenerateContent|RawPredict|EmbedContent)$/i.test(method ?? '') ? 'execution' : 'access',
    operation: method?.split('.').slice(-2).join('.'),
    outcome: code === 0 ? 'success' : DENIED.includes(code) ? 'denied' : code === EXHAUSTED ? 'rate_limited' : 'failed',
    reporter: 'import',
  };
}
