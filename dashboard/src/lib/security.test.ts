import { expect, it } from 'vitest';
import { isForeignWrite, withSecurityHeaders } from './security.ts';

const page = new URL('https://dash.example/credentials/new');
const write = (headers: Record<string, string>) => new Request(page, { method: 'POST', headers });

it.each([
  ['another host', { origin: 'http://elsewhere.example' }],
  ['another port', { origin: 'http://dash.example:8080' }],
  ['an opaque origin', { origin: 'null' }],
  ['no origin at all', {}],
  ['a browser that says cross-site', { origin: 'https://dash.example', 'sec-fetch-site': 'cross-site' }],
  ['a sibling host', { origin: 'https://dash.example', 'sec-fetch-site': 'same-site' }],
])('refuses a write from %s', (_, headers) => {
  expect(isForeignWrite(write(headers), page)).toBe(true);
});

it('takes a write from its own page, also where a proxy hides the scheme', () => {
  expect(isForeignWrite(write({ origin: 'https://dash.example' }), page)).toBe(false);
  expect(isForeignWrite(write({ origin: 'http://dash.example', 'sec-fetch-site': 'same-origin' }), page)).toBe(false);
});

it('lets reads pass from anywhere', () => {
  expect(isForeignWrite(new Request(page, { headers: { origin: 'http://elsewhere.example' } }), page)).toBe(false);
});

it('forbids framing and caching, but keeps a cache rule that is there', () => {
  const headers = withSecurityHeaders(new Response('')).headers;
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('cache-control')).toBe('private, no-store');
  const kept = withSecurityHeaders(new Response('', { headers: { 'cache-control': 'no-cache' } }));
  expect(kept.headers.get('cache-control')).toBe('no-cache');
});
