import { isAnyNetwork } from '@lanewatch/ingest/contract';
import type { CredentialWarning, PreflightAnswer } from '../../contract/index.ts';
import { isNameUnclear } from '../../contract/index.ts';
import type { CredentialRow } from './record.ts';
import { statusAt } from './record.ts';
import type { RegistrySnapshot } from './view.ts';

/** Share of a budget from which on it is told: the first step of rule R26 that leaves time to act. */
const BUDGET_NEARLY_USED = 0.8;

/** What to know of a key as it is, or would be. None of it blocks. Pure. */
export function warningsOf(row: CredentialRow): CredentialWarning[] {
  const warnings: CredentialWarning[] = [];
  const warn = (code: CredentialWarning['code'], path: string, message: string): void =>
    void warnings.push({ code, path, message });
  if (row.kind === 'managed') {
    if (row.allowed_cidrs.length === 0) {
      warn('any_network', 'allowed_cidrs', 'It works from any address. Name the networks that it is used from.');
    }
    for (const cidr of row.allowed_cidrs.filter(isAnyNetwork)) {
      const version = cidr.includes(':') ? 'IPv6' : 'IPv4';
      warn('any_network', 'allowed_cidrs', `${cidr} is every ${version} address.`);
    }
    for (const { action, resource } of row.scopes) {
      if (resource !== '*' && resource !== '/*' && action !== '*' && action !== 'admin') continue;
      warn('wide_scope', 'scopes', `${action} on ${resource} allows much: name what its workflow needs.`);
    }
  }
  if (row.expires_at === null) warn('no_expiry', 'expires_at', 'It never expires.');
  if (row.owner === '') warn('no_owner', 'owner', 'Nobody answers for it: it counts as weakly governed.');
  if (row.kind === 'registered' && row.org === '') {
    warn('no_org', 'org', 'No organisation answers for it: it counts as weakly governed.');
  }
  if (isNameUnclear(row.name)) warn('unclear_name', 'name', 'The name does not say what the key is for.');
  if (row.budget_usd === '') warn('no_budget', 'budget', 'Nothing limits what it may cost.');
  return warnings;
}

/** Present usage of the account that a key is for, and of the plan. Pure. */
export function preflightOf(
  row: CredentialRow,
  parts: {
    snapshot: RegistrySnapshot;
    nowMs: number;
    keysMax: number | null;
    /** Dollars that the owner's keys cost in 30 days; null when the ledger does not say. */
    spendUsd: string | null;
    /** Whether the directory has the owner. */
    isOwnerListed: boolean;
  },
): Pick<PreflightAnswer, 'preflight' | 'warnings'> {
  const { snapshot, nowMs, keysMax, spendUsd, isOwnerListed } = parts;
  const active = snapshot.all.filter((other) => statusAt(other, nowMs) === 'active');
  const ofOwner = row.owner === '' ? [] : active.filter(({ owner }) => owner === row.owner);
  const budgets = ofOwner
    .filter(({ budget_period: period }) => period === 'month')
    .map(({ budget_usd: usd }) => Number(usd));
  const budgetUsd = budgets.length === 0 ? null : budgets.reduce((sum, budget) => sum + budget, 0);
  const warnings: CredentialWarning[] = [];
  if (row.owner_kind === 'service_account' && !isOwnerListed) {
    const message = 'No service account has this name yet: make it first, so that a person answers for it.';
    warnings.push({ code: 'owner_unknown', path: 'owner', message });
  }
  if (budgetUsd !== null && spendUsd !== null && Number(spendUsd) >= budgetUsd * BUDGET_NEARLY_USED) {
    const message = `Its owner’s keys cost $${Number(spendUsd).toFixed(2)} in 30 days, of monthly budgets of $${budgetUsd.toFixed(2)}.`;
    warnings.push({ code: 'budget_nearly_used', path: 'budget', message });
  }
  if (keysMax !== null && active.length >= keysMax) {
    const message = `${active.length} keys are active, and the plan includes ${keysMax}.`;
    warnings.push({ code: 'plan_limit', path: '', message });
  }
  return {
    warnings,
    preflight: {
      owner:
        row.owner === ''
          ? null
          : {
              name: row.owner,
              kind: row.owner_kind,
              keys_active: ofOwner.length,
              spend_30d_usd: spendUsd,
              budget_usd_month: budgetUsd === null ? null : String(Math.round(budgetUsd * 1e9) / 1e9),
            },
      plan: { keys_active: active.length, keys_max: keysMax },
    },
  };
}
