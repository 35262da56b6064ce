/** What the detector promises to the packages right of it: the ledger's columns, findings, and the rules in force. */
export * from './finding.ts';
export * from './ledger-row.ts';
export * from './rule-catalogue.ts';
