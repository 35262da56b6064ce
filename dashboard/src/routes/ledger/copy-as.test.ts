import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textTermOf } from '@lanewatch/query-api/contract/ledger-filter';
import { curlOf, sqlOf, sqlText } from './copy-as.ts';

describe('rows of an address elsewhere', () => {
  it('are a statement', () => {
    const params = new URLSearchParams(
      'user=ada&user=bob&without=ip&from=2026-11-21T00:00:00Z&q=cost>1 -agent:codex repo:acme/*',
    );
    expect(sqlOf(params).split('\n')).toEqual([
      'SELECT *',
      'FROM ledger',
      "WHERE `user` IN ('ada', 'bob')",
      "  AND `ip` = ''",
      "  AND seen_at >= parseDateTime64BestEffort('2026-11-21T00:00:00Z', 3, 'UTC')",
      '  AND `cost_usd` > 1',
      "  AND `agent` != 'codex'",
      "  AND startsWith(`repo`, 'acme/')",
      'ORDER BY seen_at DESC',
      'LIMIT 100',
    ]);
  });

  it('are a command', () => {
    expect(curlOf('http://127.0.0.1:4610', new URLSearchParams({ user: "o'brien" }))).toBe(
      `curl -sS -H "Authorization: Bearer $LANEWATCH_TOKEN" 'http://127.0.0.1:4610/v1/ledger?user=o%27brien'`,
    );
  });

  it('keep every value inside its quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const literal = sqlText(value);
        expect(/^'(?:[^'\\]|\\.)*'$/su.test(literal)).toBe(true);
        expect(literal.slice(1, -1).replaceAll(/\\(.)/gsu, '$1')).toBe(value);
        const command = curlOf('http://x', new URLSearchParams({ q: textTermOf('user', value) }));
        expect(command.match(/'/g)).toHaveLength(2);
      }),
    );
  });
});
