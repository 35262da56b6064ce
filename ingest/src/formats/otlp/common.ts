import type { JsonObject } from '../json-body.ts';
import { type Attributes, textAttribute } from './attributes.ts';

/** toISOString writes later years with six digits, which RFC 3339 does not know; the normaliser clamps such a time anyway. */
const LAST_FOUR_DIGIT_YEAR_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Epoch milliseconds as RFC 3339; undefined for no time. */
export function isoTimeOf(milliseconds: number | null): string | undefined {
  return milliseconds === null ? undefined : new Date(Math.min(milliseconds, LAST_FOUR_DIGIT_YEAR_MS)).toISOString();
}

/**
 * The key that `apikey.*` attributes name. No client writes them by itself: its user adds them to `OTEL_RESOURCE_ATTRIBUTES`. What else
 * a client says of its sign-in is its own affair, so without these attributes there is no answer here.
 */
export function namedKeyOf(attributes: Attributes): JsonObject | undefined {
  const fingerprint = textAttribute(attributes, 'apikey.fingerprint');
  const hint = textAttribute(attributes, 'apikey.hint');
  if (fingerprint === undefined && hint === undefined) return undefined;
  const kind = hint?.startsWith('sk-ant-oat') === true ? 'oauth' : 'api_key';
  return { fingerprint, hint, provider: textAttribute(attributes, 'apikey.provider'), kind };
}

/** Where a client ran: fields of an event by the names that OpenTelemetry gives them. */
export function placeOf(attributes: Attributes): JsonObject {
  const text = (...keys: string[]) => textAttribute(attributes, ...keys);
  return {
    host: text('host.name'),
    repo: text('vcs.repository.name', 'vcs.repository.url.full'),
    branch: text('vcs.ref.head.name'),
    environment: text('deployment.environment.name', 'deployment.environment'),
  };
}
