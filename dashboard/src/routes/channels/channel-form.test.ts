import { expect, test } from 'vitest';
import { channelIn, editIn } from './channel-form.ts';

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

test('an edit says what stands in the form, and an address that is left empty stays', () => {
  const filled = form({
    ...{ name: ' Night shift ', address: '', severity: 'medium', pace: 'daily', orgs: 'acme, beta', projects: '' },
    ...{ owners: 'ana', quiet_from: '22:00', quiet_to: '06:00', version: '3' },
  });
  expect(editIn(filled, { kind: 'webhook' })).toEqual({
    ...{ name: 'Night shift', severity: 'medium', pace: 'daily', orgs: ['acme', 'beta'], projects: [] },
    ...{ owners: ['ana'], quiet_from: '22:00', quiet_to: '06:00', version: 3 },
  });
});

test('an address is a URL, or mail addresses by comma', () => {
  expect(channelIn(form({ address: 'https://hooks.example/1' }), 'slack')).toMatchObject({
    url: 'https://hooks.example/1',
    quiet_from: null,
  });
  expect(channelIn(form({ address: 'a@example.com, b@example.com' }), 'email')).toMatchObject({
    to: ['a@example.com', 'b@example.com'],
  });
});
