/**
 * What is fixed about credentials: words, lists and small rules that forms show and query-api holds to. Pure, without Node imports and
 * schemas, so that pages use it in the browser.
 */
import type { AskedAction, Scope } from '@lanewatch/ingest/contract/scope';

export const CREDENTIAL_ENVIRONMENTS = ['development', 'sandbox', 'staging', 'production'] as const;
export type CredentialEnvironment = (typeof CREDENTIAL_ENVIRONMENTS)[number];

/** A part of the product that keys are issued for. */
export interface Module {
  id: string;
  label: string;
}

/** Modules where `MODULES` names none. */
export const MODULES_DEFAULT: readonly Module[] = [
  { id: 'agents_execution', label: 'Agents execution' },
  { id: 'workflow_automation', label: 'Workflow automation' },
  { id: 'governance_systems', label: 'Governance systems' },
  { id: 'sandbox_environments', label: 'Sandbox environments' },
  { id: 'demo_builds', label: 'Demo builds' },
  { id: 'integrations', label: 'Integrations' },
  { id: 'monitoring_logs', label: 'Monitoring & logs' },
];

/** The matrix of permissions: what each action of a scope lets a key do. */
export const KEY_PERMISSIONS: readonly {
  action: AskedAction;
  label: string;
  capability: string;
  covers: readonly AskedAction[];
  /** Granting it takes a proof of the second factor that is at most 15 minutes old. */
  needsStepUp: boolean;
}[] = [
  { action: 'read', label: 'Read', capability: 'Fetch data', covers: ['read'], needsStepUp: false },
  { action: 'write', label: 'Write', capability: 'Create, change and delete', covers: ['write'], needsStepUp: false },
  {
    action: 'execute',
    label: 'Execute',
    capability: 'Trigger agent runs, workflows and builds',
    covers: ['execute'],
    needsStepUp: true,
  },
  {
    action: 'admin',
    label: 'Admin',
    capability: 'Full control',
    covers: ['read', 'write', 'execute', 'admin'],
    needsStepUp: true,
  },
];

/** Scopes as narrow as one workflow needs them, in the order in which a key grows. */
export interface ScopeTemplate {
  id: string;
  /** Short name, as it is said among people: `runs:write`. */
  label: string;
  purpose: string;
  scopes: readonly Scope[];
  /** An example that it allows, and one that it refuses. */
  allows: { action: AskedAction; resource: string };
  refuses: { action: AskedAction; resource: string };
}

export const SCOPE_TEMPLATES: readonly ScopeTemplate[] = [
  {
    id: 'first_run',
    label: 'runs:write',
    purpose: 'Start runs. Enough for a first run; add others only when the key needs them.',
    scopes: [{ action: 'write', resource: 'runs' }],
    allows: { action: 'write', resource: 'runs' },
    refuses: { action: 'write', resource: 'runs/r_81/cancel' },
  },
  {
    id: 'replay',
    label: 'runs:replay',
    purpose: 'Replay a run that is over.',
    scopes: [{ action: 'write', resource: 'runs/*/replay' }],
    allows: { action: 'write', resource: 'runs/r_81/replay' },
    refuses: { action: 'write', resource: 'runs/r_81' },
  },
  {
    id: 'cancel',
    label: 'runs:cancel',
    purpose: 'Cancel a run under way.',
    scopes: [{ action: 'write', resource: 'runs/*/cancel' }],
    allows: { action: 'write', resource: 'runs/r_81/cancel' },
    refuses: { action: 'write', resource: 'runs/r_81/replay' },
  },
  {
    id: 'approvals',
    label: 'approvals:write',
    purpose: 'Answer requests for approval.',
    scopes: [{ action: 'write', resource: 'approvals/*' }],
    allows: { action: 'write', resource: 'approvals/a_7' },
    refuses: { action: 'write', resource: 'runs' },
  },
  {
    id: 'mcp',
    label: 'mcp:call',
    purpose: 'Call tools of MCP servers.',
    scopes: [{ action: 'execute', resource: 'mcp/*' }],
    allows: { action: 'execute', resource: 'mcp/search/query' },
    refuses: { action: 'admin', resource: 'mcp/search' },
  },
  {
    id: 'a2a',
    label: 'a2a:write',
    purpose: 'Send tasks to other agents, and cancel them.',
    scopes: [{ action: 'write', resource: 'a2a/*' }],
    allows: { action: 'write', resource: 'a2a/tasks' },
    refuses: { action: 'read', resource: 'a2a/tasks' },
  },
  {
    id: 'collector',
    label: 'usage-events:write',
    purpose: 'Ship usage events to Lanewatch, which makes the key a collector.',
    scopes: [{ action: 'write', resource: 'usage-events' }],
    allows: { action: 'write', resource: 'usage-events' },
    refuses: { action: 'read', resource: 'usage-events' },
  },
  {
    id: 'verifier',
    label: 'credentials:verify',
    purpose: 'Ask Lanewatch whether a key may do a thing.',
    scopes: [{ action: 'read', resource: 'query-api/credentials/verify' }],
    allows: { action: 'read', resource: 'query-api/credentials/verify' },
    refuses: { action: 'read', resource: 'query-api/credentials' },
  },
];

/** What a credential that asks `POST /v1/credentials/verify` must be allowed. */
export const VERIFY_SCOPE = { action: 'read', resource: 'query-api/credentials/verify' } as const;

/** What is marked on a key in lists. */
export const MARKS = [
  'idle',
  'unclear_name',
  'too_many_old_keys',
  'no_owner',
  'no_org',
  'no_expiry',
  'any_network',
  'rotation_overdue',
] as const;
export type Mark = (typeof MARKS)[number];

const DAY_MS = 86_400_000;
/** Without use for this long, from its creation when it was never used. Usual in the field: AWS, OpenRouter and CIS benchmarks say 90 days. */
export const IDLE_AFTER_MS = 90 * DAY_MS;
/** A secret of this age is due: CIS 1.15 and AWS's access key policy say 90 days. */
export const ROTATION_DUE_AFTER_MS = 90 * DAY_MS;
/** A key of this age is old. */
export const OLD_AFTER_MS = 90 * DAY_MS;
/** This many active old keys of one owner are too many. */
export const OLD_KEYS_PER_OWNER_MAX = 3;

/** Grace that forms offer for a rotated-out secret, in seconds; any other up to the last is taken, too. */
export const GRACES_OFFERED_SECONDS = [0, 3_600, 86_400] as const;
export const GRACE_SECONDS_MAX = 30 * 86_400;

/** Words that say nothing about what a key is for. */
const FILLER =
  /^(a|an|the|my|our|new|old|api|app|key|keys|apikey|token|secret|credential|default|test|tests|testing|tmp|temp|temporary|untitled|unnamed|name|noname|foo|bar|baz|asdf|qwerty|abc|xyz|x|copy|of|example|sample|demo|dev|prod|staging|sandbox|production|development|\d+|v\d+)$/;
/** Fewer letters than this name nothing. */
const NAME_LETTERS_MIN = 3;

/**
 * Whether a name fails to say what its key is for: it has fewer than three letters; or, parted at blanks and punctuation, consists only of
 * filler such as `my new API key 2`, numbers and names of environments; or is an identifier out of a machine (a UUID, or sixteen
 * hex digits and more).
 */
export function isNameUnclear(name: string): boolean {
  const plain = name.trim().toLowerCase();
  if ((plain.match(/\p{L}/gu) ?? []).length < NAME_LETTERS_MIN) return true;
  if (/^[0-9a-f-]{16,}$/.test(plain)) return true;
  const words = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  return words.every((word) => FILLER.test(word));
}
