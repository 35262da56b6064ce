import { credentialCreateSchema } from '@lanewatch/query-api/contract';
import { expect, it } from 'vitest';
import { emptyFields, fieldsOf, methodOf, missingIn, requestOf, shownAgain } from './form.ts';
import { hashKey } from './hash-key.ts';

const fields = { ...emptyFields(), name: 'Developer key', org: 'qpoint-dev' };

it('asks for what the contract accepts, by every method', () => {
  const filled = { ...fields, fingerprint: 'a'.repeat(64), hint: 'sk-ant-...C001', expires: '2027-01-31' };
  for (const method of ['paste', 'fingerprint', 'hint', 'collector'] as const) {
    expect(credentialCreateSchema.strict().safeParse(requestOf(method, filled)).success, method).toBe(true);
  }
});

it('registers by hint without a fingerprint left over from another method', () => {
  expect(requestOf('hint', { ...fields, fingerprint: 'a'.repeat(64), hint: 'sk-ant-...C001' })).not.toHaveProperty(
    'fingerprint',
  );
});

it('ends a key at the end of the day that was chosen', () => {
  expect(requestOf('fingerprint', { ...fields, expires: '2027-01-31' }).expires_at).toBe('2027-01-31T23:59:59Z');
  expect(requestOf('fingerprint', { ...fields, expires: 'soon' }).expires_at).toBeNull();
});

it('writes no raw key back into the page, and everything else', () => {
  const key = `sk-ant-api03-${'R2Dq7Zx9'.repeat(11)}-igAA`;
  const sent = { ...fields, hint: key.slice(0, 40), owner: `key: ${key}`, fingerprint: 'a'.repeat(64) };
  expect(shownAgain(sent)).toEqual({ ...sent, hint: '', owner: '' });
});

it('asks query-api nothing while no key was pasted', () => {
  expect(missingIn('paste', fields)?.detail).toContain('Paste the key first');
  expect(missingIn('hint', fields)).toBeNull();
});

it('reads only its own fields from a form, and any method but the four as pasting', () => {
  const form = new FormData();
  form.set('name', ' CI ');
  form.set('kind', 'managed');
  expect(fieldsOf(form)).toEqual({ ...emptyFields(), name: 'CI' });
  expect(methodOf('rm -rf')).toBe('paste');
});

it('hashes a pasted key to the fingerprint and hint that ingest computes', async () => {
  const { fingerprint, hint, provider } = await hashKey('  sk-ant-api03-R2Dabcdefghijklmnopqrstuvwxyz-igAA\n');
  expect(hint).toBe('sk-ant-api03-R2D...igAA');
  expect(provider).toBe('anthropic');
  // printf %s 'sk-ant-api03-R2Dabcdefghijklmnopqrstuvwxyz-igAA' | sha256sum
  expect(fingerprint).toBe('548b6c5bfcb4615b7e8d06905ad69526c75d36f057022e6914f4dc8eb5508f26');
});
