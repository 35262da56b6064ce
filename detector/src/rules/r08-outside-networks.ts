import { compileCidrs } from '@lanewatch/ingest/contract';
import type { Credential } from '../classify/registry-view.ts';
import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R08: the address is in none of the networks that the key is bound to. Medium while it was only tried from there, and refused. */
export function outsideNetworks(overrides?: ParameterValues): Rule {
  return byEvidence({
    id: 'R08',
    parameters: parametersOf('R08', overrides),
    judge({ row, credential }) {
      if (credential === null || row.ip === '' || credential.record.allowed_cidrs.length === 0) return null;
      if (isWithinAllowed(credential, row.ip)) return null;
      return row.outcome === 'denied' ? 'medium' : 'high';
    },
    testify: ({ row, credential }) => ({
      endpoint: row.ip,
      allowed_networks: credential!.record.allowed_cidrs,
    }),
  });
}

interface Allowed {
  isAllowed: (ip: string) => boolean;
  known: Map<string, boolean>;
}

const KNOWN_MAX = 1_000;
const compiled = new WeakMap<Credential, Allowed>();

/** Whether a key is bound to networks and the address is in one of them; remembered, because the same few come again and again. */
export function isWithinAllowed(credential: Credential | null, ip: string): boolean {
  if (credential === null || credential.record.allowed_cidrs.length === 0) return false;
  let allowed = compiled.get(credential);
  if (allowed === undefined) {
    allowed = { isAllowed: compileCidrs(credential.record.allowed_cidrs), known: new Map() };
    compiled.set(credential, allowed);
  }
  const held = allowed.known.get(ip);
  if (held !== undefined) return held;
  if (allowed.known.size >= KNOWN_MAX) allowed.known.clear();
  const isAllowed = allowed.isAllowed(ip);
  allowed.known.set(ip, isAllowed);
  return isAllowed;
}
