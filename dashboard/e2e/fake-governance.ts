import * as contract from '@lanewatch/query-api/contract';
import { directoryOf } from './fake-accounts.ts';
import { found, ProblemAnswer } from './fake-registry.ts';
import type { Organisation } from './organisation.ts';

const HASH = 'ab'.repeat(32);
const DAY_MS = 86_400_000;

/** Policies, jobs, trail, exports and the steps of a new organisation, as the fake has them. */
export interface FakeGovernance {
  modes: Partial<Record<contract.PolicyId, contract.PolicyMode>>;
  runs: string[];
  isSigning: boolean;
  evidence: contract.Evidence[];
  /** The row at which the trail is broken. */
  brokenAt: number | null;
}
export const newGovernance = (): FakeGovernance => ({
  ...{ modes: {}, runs: [], isSigning: false, evidence: [], brokenAt: null },
});

interface Asked {
  method: string;
  kind: string | undefined;
  id: string | undefined;
  verb: string | undefined;
  body: unknown;
}

/** Answers what is governance's; undefined for every other route. */
export function governanceAnswer(state: FakeGovernance, org: Organisation, asked: Asked, nowMs: number): unknown {
  const { method, kind, id, verb, body } = asked;
  const isGet = method === 'GET';
  const at = new Date(nowMs).toISOString();
  switch (kind) {
    case 'policies': {
      if (id === undefined) return { items: contract.POLICY_IDS.map((one) => policy(state, one)) };
      const which = contract.policyIdSchema.parse(id);
      if (verb === 'preview') return preview(org);
      if (verb === 'apply') return { ...application(at), changed: 1 };
      if (!isGet) state.modes[which] = contract.policyPutSchema.parse(body).mode as contract.PolicyMode;
      return contract.policyDetailSchema.parse({
        ...policy(state, which),
        ...{ breaking: [], notices: [], applications: [], collections: [] },
      });
    }
    case 'collections':
      return { items: [] };
    case 'jobs':
      if (id !== undefined) state.runs.push(id);
      return id === undefined ? { items: [job(state, at)] } : job(state, at);
    case 'audit':
      return id === 'chain' ? chain(state, at) : { items: [auditItem(at)], next_cursor: null };
    case 'exports':
      if (id !== undefined) return receipt(state, at);
      return { items: [receipt(state, at)], next_cursor: null };
    case 'signing-key':
      if (!isGet && state.isSigning) throw new ProblemAnswer(409, 'Key signing was set up already.');
      if (!isGet) state.isSigning = true;
      return { key: state.isSigning ? { key_id: 'k1', public_key: 'MCow', created_at: at, created_by: 'ada' } : null };
    case 'evidence':
      if (!isGet) state.evidence.unshift(evidenceOf(state, at));
      if (id !== undefined || !isGet) return found(state.evidence[0]);
      return contract.evidencePageSchema.parse({
        items: state.evidence.map((one) => ({ ...one, export_id: one.receipt.id, file_name: one.receipt.file_name })),
        next_cursor: null,
      });
    case 'imports':
      return isGet ? importsAt(at) : importedKeys(contract.importKeysSchema.parse(body).dry_run);
    case 'onboarding':
      return onboarding(state, org, at);
    case 'usage':
      return usage(org, nowMs);
    default:
      return undefined;
  }
}

function policy(state: FakeGovernance, id: contract.PolicyId): contract.PolicyItem {
  const mode = state.modes[id] ?? 'off';
  return contract.policyItemSchema.parse({
    ...{ id, project: '', mode, settings: contract.POLICY_FACTS[id].defaults, version: 1, updated_at: null },
    ...{ updated_by: '', overrides: [], covers: 4, violations: 0, compliance: 1, sessions_governed: 9 },
    unknown: false,
  });
}

function preview(org: Organisation): contract.PolicyPreview {
  const { id: credential_id, name, hint, owner, project } = found(org.credentials[0]);
  const changes = [{ field: 'allowed_cidrs', before: [], after: ['10.1.2.0/24'] }];
  const item = { credential_id, name, hint, owner, project, why: 'It works from any address.', changes, skipped: null };
  return contract.policyPreviewSchema.parse({ version: 1, changes: 1, skipped: 0, items: [item], is_complete: true });
}

const application = (at: string) => ({
  ...{ id: 'a1', started_at: at, started_by: 'ada', changed: 0, skipped: 0, ended_at: at },
});

function job(state: FakeGovernance, at: string): contract.JobItem {
  const runs = state.runs.map((_, index) => ({
    ...{ id: index + 1, due_at: at, by: 'ada', started_at: at, ended_at: at, duration_ms: 12, outcome: 'done' },
    ...{ detail: 'Keys changed: 3.', resumed: 0 },
  }));
  return contract.jobItemSchema.parse({
    ...{ id: 'policies.enforce', title: 'Enforce policies', does: 'Changes keys.', schedule: '7 * * * *' },
    ...{ state: 'waiting', next_due_at: at, runs },
  });
}

const chain = ({ brokenAt }: FakeGovernance, at: string): contract.ChainState =>
  contract.chainStateSchema.parse({
    ...{ holds: brokenAt === null, rows: 1, head: { seq: 1, hash: HASH }, checked_at: at },
    broken: brokenAt === null ? null : { seq: brokenAt, reason: `row ${brokenAt} was changed` },
  });

const auditItem = (at: string): contract.AuditItem =>
  contract.auditItemSchema.parse({
    ...{ seq: 1, at, actor: 'ada', action: 'policy.set', subject: { kind: 'policy', id: 'ip_locking' } },
    ...{ credential_id: '', detail: '<b>ip_locking</b>', previous: '0'.repeat(64), hash: HASH },
    changes: [{ field: 'mode', before: 'off', after: 'watch' }],
  });

const signature = { algorithm: 'Ed25519', key_id: 'k1', public_key: 'MCow', value: 'c2ln' } as const;

const receipt = ({ isSigning }: FakeGovernance, at: string): contract.ExportReceipt =>
  contract.exportReceiptSchema.parse({
    ...{ version: 1, id: 'e1', file_name: 'lanewatch-activity-1.csv', what: 'activity', format: 'csv', filters: {} },
    ...{ rows: 3, bytes: 99, from: null, to: at, sha256: HASH, made_at: at, made_by: 'ada' },
    ...{ chain_head: { seq: 1, hash: HASH }, signature: isSigning ? signature : null },
  });

function evidenceOf(state: FakeGovernance, at: string): contract.Evidence {
  const run = { session: 'run-1', agent: 'codex', user: '', first_seen: at, last_seen: at, calls: 3, failed: 1 };
  return contract.evidenceSchema.parse({
    ...{ version: 1, id: 'v1', captured_at: at, captured_by: 'ada', key: null, runs: [run], runs_total: 1, calls: 3 },
    ...{ calls_without_run: 0, receipt: receipt(state, at), chain_head: { seq: 2, hash: HASH }, signature },
  });
}

const importsAt = (at: string): contract.Imports =>
  contract.importsSchema.parse({
    items: [
      {
        ...{ provider: 'anthropic', is_set: true, setting: 'ANTHROPIC_ADMIN_KEY_FILE', registers: false },
        ...{ billed_until: at, billed_usd: '12.5' },
      },
      {
        ...{ provider: 'openai', is_set: false, setting: 'OPENAI_ADMIN_KEY_FILE', registers: false },
        ...{ billed_until: null, billed_usd: '0' },
      },
    ],
  });

const importedKeys = (isDry: boolean): contract.ImportedKeys =>
  contract.importedKeysSchema.parse({
    imported: {
      dry_run: isDry,
      totals: { lines: 1, registered: 1, present: 0, bad: 0, weakly_governed: 1 },
      items: [
        {
          ...{
            line: 2,
            outcome: 'registered',
            name: '<b>Nightly</b>',
            hint: 'sk-ant-api03-R2D...igAA',
            fingerprint: HASH,
          },
          ...{ credential_id: isDry ? '' : 'cred-1', weakly_governed: true, errors: [] },
        },
      ],
      findings_resolved: 0,
      published: !isDry,
    },
    ...{ inactive: 1, hidden: 0, lanes: [{ line: 2, lane: HASH, events: 5, cost_usd: '1.5' }] },
  });

function onboarding(state: FakeGovernance, org: Organisation, at: string): contract.Onboarding {
  const done: Partial<Record<contract.OnboardingStepId, boolean>> = {
    ...{
      signing: state.isSigning,
      service_account: directoryOf(org, 'service-accounts').length > 0,
      first_event: org.rows.length > 0,
    },
    evidence_captured: state.evidence.length > 0,
  };
  const steps = contract.ONBOARDING_STEPS.map((id) => ({
    ...{ id, state: done[id] ? 'done' : 'open', at: done[id] ? at : null, ref: 'x', name: 'pipeline' },
  }));
  return contract.onboardingSchema.parse({ steps, is_complete: false, key: null });
}

function usage(org: Organisation, nowMs: number): contract.Usage {
  const starts = Array.from({ length: 7 }, (_, index) =>
    new Date(Math.floor(nowMs / DAY_MS - 6 + index) * DAY_MS).toISOString(),
  );
  const rows = org.rows.filter(({ seen_at: seen }) => seen >= starts[0]!);
  const counts = (of: contract.LedgerItem[]) => ({
    calls: of.length,
    executions: of.filter(({ action }) => action === 'execution').length,
    failed_authentications: of.filter(({ outcome }) => outcome === 'denied').length,
    agent_calls: of.filter(({ agent }) => agent !== '').length,
  });
  const steps = (of: contract.LedgerItem[]) => {
    const days = starts.map((start) => counts(of.filter(({ seen_at: seen }) => seen.startsWith(start.slice(0, 10)))));
    return Object.fromEntries(contract.USAGE_MEASURES.map((measure) => [measure, days.map((day) => day[measure])]));
  };
  const by = (dimension: contract.UsageDimension) => {
    const groups = Map.groupBy(rows, (row) => row[dimension]);
    const shown = [...groups].map(([value, of]) => ({
      ...{ value, name: dimension === 'lane' ? of[0]!.hint : '', ...counts(of), steps: steps(of) },
    }));
    return { values: groups.size, rows: shown };
  };
  return contract.usageSchema.parse({
    ...{ from: starts[0], to: new Date(nowMs + 1).toISOString(), is_complete: true, step_seconds: 86_400, starts },
    ...{ total: { ...counts(rows), keys: by('lane').values }, steps: steps(rows) },
    by: { lane: by('lane'), module: by('module'), agent: by('agent') },
  });
}
