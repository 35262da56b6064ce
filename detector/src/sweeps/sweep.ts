import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { Finding, RuleId, Severity } from '../../contract/index.ts';
import type { ParameterValues } from '../rules/parameters.ts';

export const DAY_MS = 86_400_000;

/** A finding that a job decides: what the rule says; whom it is about is added where it is written. */
export interface Decision {
  /** Tells findings of one rule and lane apart: a new episode is a new finding, the same one is the same for ever. */
  dedupe: readonly string[];
  severity: Severity;
  facts: Finding['facts'];
  /** Since when it holds, epoch milliseconds; null for since it was looked at first. */
  sinceMs: number | null;
}

/** What limits a key, as it was when it was looked at last. */
export interface Guards {
  privileged: boolean;
  scopes: readonly string[];
  allowed_cidrs: readonly string[];
  has_budget: boolean;
}

/** A registered key that counts now, with what the ledger knows of it. */
export interface KeyState {
  record: CredentialRecord;
  /** Epoch milliseconds; null when it was never used. */
  lastUseMs: number | null;
  /** In the present period of its budget, billionths of a dollar; 0 without a budget. */
  spentNanoUsd: number;
}

/** A rule that a job decides of a key by itself. */
export interface KeySweep {
  id: RuleId;
  parameters: ParameterValues;
  decide(key: KeyState, nowMs: number): Decision[];
}

/** Whole numbers with commas between, the largest first; what is none is left out. */
export function numbersOf(text: unknown): number[] {
  return String(text)
    .split(',')
    .map((part) => Number(part.trim()))
    .filter((number) => Number.isInteger(number) && number > 0)
    .sort((left, right) => right - left);
}
