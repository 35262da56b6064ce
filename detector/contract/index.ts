/**
 * What the detector promises to the packages right of it: the ledger's columns, findings, the rules in force, the registry's copy beside
 * the ledger, and the group whose offsets say how far the ledger is.
 */
export * from './analyst-views.ts';
export * from './backtest.ts';
export * from './consumer-group.ts';
export * from './credential-mirror.ts';
export * from './fact-words.ts';
export * from './finding.ts';
export * from './finding-words.ts';
export * from './ledger-row.ts';
export * from './provider-totals.ts';
export * from './rule-catalogue.ts';
export * from './rule-description.ts';
export * from './rule-settings.ts';
export * from './runbook.ts';
export * from './standing-sql.ts';
