import { expect, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import { draftCredential } from './draft.ts';
import { hitByEdit } from './impact.ts';

const NOW = Date.UTC(2026, 10, 21);
const NAMED = { user: '', agent: '', environment: '', repo: '', operation: 'write runs', calls: 1, lastMs: NOW };

test('an edit makes those fail who were not refused before it', () => {
  const wanted = {
    ...{ kind: 'managed', name: 'pipeline', environment: 'production', expires_at: '2027-01-01T00:00:00Z' },
    ...{ scopes: [{ action: 'write', resource: 'runs' }], allowed_cidrs: ['10.0.0.0/8'] },
  };
  const { row } = draftCredential(credentialCreateSchema.parse(wanted), 'test', NOW);
  const hitOf = hitByEdit(row, { ...row, scopes: [{ action: 'read', resource: 'runs' }] }, NOW);
  const effects = [
    { ...NAMED, ip: '10.1.2.3' },
    { ...NAMED, ip: '8.8.8.8' },
    { ...NAMED, ip: '10.1.2.3', environment: 'staging' },
    { ...NAMED, ip: '10.1.2.3', operation: 'execute runs' },
    { ...NAMED, ip: '10.1.2.3', operation: '' },
  ].map((caller) => hitOf(caller).effect);
  expect(effects).toEqual(['fails', 'none', 'none', 'none', 'none']);
});
