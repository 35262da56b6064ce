import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

it('starts on loopback with nothing set', () => {
  expect(readConfig({})).toMatchObject({ DASHBOARD_HOST: '127.0.0.1', DASHBOARD_PORT: 4600 });
});

it('names every problem in one message', () => {
  const wrong = { DASHBOARD_PORT: 'eleven', QUERY_API_URL: 'ftp://x', INGEST_URL: 'no address' };
  expect(() => readConfig(wrong)).toThrow(/DASHBOARD_PORT.*QUERY_API_URL.*INGEST_URL/s);
});

it('takes addresses with or without a slash at their end', () => {
  expect(readConfig({ QUERY_API_URL: 'http://api.example:4610/' }).QUERY_API_URL).toBe('http://api.example:4610');
});
