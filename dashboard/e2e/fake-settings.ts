import * as contract from '@lanewatch/query-api/contract';
import type { Organisation } from './organisation.ts';

/** What the fake answers about rules and channels: one of each, which says `org.text` wherever text is free. */
export function settingsAnswer(
  org: Organisation,
  { method, kind, id, verb }: Record<'method' | 'kind' | 'id' | 'verb', string | undefined>,
  nowMs: number,
): unknown {
  const at = new Date(nowMs).toISOString();
  const { text } = org;
  if (method !== 'GET') return undefined;
  switch (`${kind} ${verb ?? ''}`) {
    case 'rules ':
      return id === undefined ? contract.rulesSchema.parse({ items: [ruleOf(text, at)] }) : ruleOf(text, at);
    case 'channels ':
      return contract.channelsSchema.parse({ items: [channelOf(text, at)], email_ready: true });
    case 'channels deliveries': {
      const attempt = { id: 'attempt-1', at, delivery_id: 'delivery-1', findings: 1, ok: false, duration_ms: 12 };
      return contract.channelDeliveriesSchema.parse({ items: [{ ...attempt, detail: text }] });
    }
    default:
      return undefined;
  }
}

function ruleOf(text: string, at: string): contract.RuleItem {
  return contract.ruleItemSchema.parse({
    ...{ id: 'R09', title: 'New network', condition: 'An address that the key was never used from.' },
    ...{ severities: ['medium'], decided_by: 'stream', tried_over: 'events', runbook: ['Ask whoever owns the key.'] },
    ...{ enabled: true, mode: 'notify', severity: '', orgs: [text], projects: [text], environments: [text] },
    ...{ suppress_by: [], suppress_ms: 3_600_000 },
    ...{ parameters: [], version: 1, set_at: at, set_by: text, effective_from: at, published: true },
    ...{ findings: 3, resolved: 2, resolved_false: 1 },
  });
}

function channelOf(text: string, at: string): contract.Channel {
  return contract.channelSchema.parse({
    ...{ id: 'channel-1', kind: 'webhook', name: text, target: text, severity: 'high', pace: 'each' },
    ...{ orgs: [text], projects: [], owners: [text], quiet_from: null, quiet_to: null, enabled: true },
    ...{ created_at: at, created_by: text, version: 1, waiting: 0, failing: 1, given_up: 0, last_sent_at: at },
  });
}
