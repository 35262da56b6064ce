import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ledgerRow, STORED_AT } from '../ledger/testing.ts';
import { CORRECTION_VERSION, correctionRecord, correctionRow, joinsOf, REFS_MAX, type Report } from './correction.ts';
import { correctionsOf } from './corrections.ts';

const KEY = 'a'.repeat(64);
const OTHER_KEY = 'b'.repeat(64);

function report(changes: Partial<Report>): Report {
  return ledgerRow({ seen_at: changes.time ?? STORED_AT - 2_000, ...changes });
}

/** What the agent tells: who works where, and what it cost; nothing of the key. */
const byAgent = (changes: Partial<Report> = {}): Report =>
  report({
    ...{
      source: 'claude-code',
      id: 'a-1',
      reporter: 'agent',
      fingerprint: '',
      hint: '',
      standing: 'unattributed',
      match: 'none',
    },
    ...{ credential_id: '', status_code: 0, latency_ms: 0, credential_provider: '' },
    ...changes,
  });

/** What the proxy tells: which key, and how it ended; not who. */
const byProxy = (changes: Partial<Report> = {}): Report =>
  report({
    ...{ source: 'proxy/anthropic', id: 'p-1', reporter: 'proxy', user: '', repo: '', branch: '', host: '' },
    ...{ cost_nano_usd: 12_000_000, cost_basis: 'estimated', fingerprint: KEY },
    ...changes,
  });

/** A ledger: what is stored under an identity stays, and what comes again is dropped. */
function ledgerOf(rows: readonly Report[]) {
  const stored = new Map<string, Report>();
  const store = (row: Report) => {
    const { source, id } = row;
    if (!stored.has(`${source}\n${id}`)) stored.set(`${source}\n${id}`, row);
  };
  rows.forEach(store);
  const sum = (of: (row: Report) => number, where: (row: Report) => boolean = () => true) =>
    [...stored.values()].filter(where).reduce((total, row) => total + of(row), 0);
  const settle = () => {
    for (let round = 0; round < 10; round++) {
      const { entries, reversals } = correctionsOf([...stored.values()]);
      if (entries.length + reversals.length === 0) return round;
      [...entries, ...reversals].forEach(store);
    }
    throw new Error('it never comes to an end');
  };
  return { stored, store, sum, settle };
}

test('a request that agent and proxy report counts once, with key and outcome of one, person, repository and cost of the other', () => {
  const ledger = ledgerOf([byAgent(), byProxy({ outcome: 'failed', status_code: 529 })]);
  expect(ledger.settle()).toBe(1);
  expect(ledger.sum(({ calls }) => calls)).toBe(1);
  expect(ledger.sum(({ tokens_output }) => tokens_output)).toBe(50);
  expect(ledger.sum(({ cost_nano_usd }) => cost_nano_usd)).toBe(12_345_678);
  const entry = [...ledger.stored.values()].find(({ calls, joins }) => calls === 1 && joins !== '');
  expect(entry).toMatchObject({
    ...{
      fingerprint: KEY,
      standing: 'known',
      credential_id: 'credential-1',
      user: 'ada@acme.example',
      repo: 'acme/app',
    },
    ...{ outcome: 'failed', status_code: 529, cost_nano_usd: 12_345_678, reporter: 'agent', flags: ['correction'] },
  });
  expect(joinsOf(entry!)).toEqual([
    ['claude-code', 'a-1'],
    ['proxy/anthropic', 'p-1'],
  ]);
  // Of nobody, and of no key, there is nothing left.
  expect(
    ledger.sum(
      ({ calls }) => calls,
      ({ user }) => user === '',
    ),
  ).toBe(0);
  expect(
    ledger.sum(
      ({ cost_nano_usd }) => cost_nano_usd,
      ({ fingerprint }) => fingerprint === '',
    ),
  ).toBe(0);
});

test.each<[string, Partial<Report>, Partial<Report>, number]>([
  ['one request id', { session: '' }, { session: 'other' }, 1],
  ['one request id of two keys, with something on the way that may exchange them', { fingerprint: OTHER_KEY }, {}, 1],
  ['one request id of two keys and other tokens', { fingerprint: OTHER_KEY, tokens_output: 49 }, {}, 2],
  ['one request id of two keys, minutes apart', { fingerprint: OTHER_KEY, time: STORED_AT - 400_000 }, {}, 2],
  ['one request id of two keys, with nothing on the way', { fingerprint: OTHER_KEY }, { reporter: 'sdk' }, 2],
  ['one session of two keys', { fingerprint: OTHER_KEY, request_id: '' }, {}, 2],
  ['one id of the answer', { request_id: '', session: '', response_id: 'msg_1' }, { response_id: 'msg_1' }, 1],
  ['two request ids of one session', { request_id: 'req_2' }, {}, 2],
  ['one session, model and tokens, without a request id', { request_id: '' }, {}, 1],
  ['a model by its alias', { request_id: '', model: 'claude-opus-4' }, { model: 'claude-opus-4-20250514' }, 1],
  ['one session and other tokens', { request_id: '', tokens_output: 49 }, {}, 2],
  ['one session, minutes apart', { request_id: '', time: STORED_AT - 400_000 }, {}, 2],
  [
    'one session, as far apart as the request took',
    { request_id: '', time: STORED_AT - 100_000 },
    { latency_ms: 90_000 },
    1,
  ],
  ['neither id nor session, but program, address, model and tokens', { request_id: '', session: '' }, {}, 1],
  ['the same from another address', { request_id: '', session: '', ip: '10.0.0.2' }, {}, 2],
  ['one request id, hours apart', { time: STORED_AT - 3_600_000 }, {}, 2],
  ['one reporter', { reporter: 'proxy', source: 'proxy/anthropic' }, {}, 2],
  ['two proxies on the way', { reporter: 'proxy', source: 'litellm' }, {}, 1],
])('%s', (_what, agent, proxy, calls) => {
  const ledger = ledgerOf([byAgent(agent), byProxy(proxy)]);
  ledger.settle();
  expect(ledger.sum((row) => row.calls)).toBe(calls);
});

test('requests that carry one id, as gateways repeat it, are joined one by one', () => {
  const at = (second: number) => STORED_AT - 60_000 + second * 1_000;
  const requests = [5, 7, 7, 9].map((tokens_output, index) => ({ tokens_output, time: at(index * 3) }));
  const ledger = ledgerOf([
    ...requests.map((own, index) => byAgent({ ...own, id: `a-${index}` })),
    ...requests.map((own, index) => byProxy({ ...own, id: `p-${index}`, time: own.time + 400 })),
  ]);
  ledger.settle();
  expect(ledger.sum(({ calls }) => calls)).toBe(4);
  expect(ledger.sum(({ tokens_output }) => tokens_output)).toBe(28);
});

test.each([
  ['all at once', 3],
  ['agent and gateway first', 2],
  ['the agent first', 1],
])('a request through a gateway that exchanges keys counts once, under the key of the client: %s', (_when, first) => {
  const answer = { request_id: '', response_id: 'chatcmpl-1' };
  const reports = [
    byAgent({ ...answer, response_id: '', fingerprint: OTHER_KEY }),
    byProxy({
      ...answer,
      source: 'litellm',
      id: 'l-1',
      fingerprint: OTHER_KEY,
      credential_id: 'virtual',
      latency_ms: 900,
    }),
    byProxy({ ...answer, request_id: 'req_1', session: '', credential_id: 'billed', ip: '10.0.0.9' }),
  ];
  const ledger = ledgerOf(reports.slice(0, first));
  ledger.settle();
  reports.slice(first).forEach((row) => {
    ledger.store(row);
    ledger.settle();
  });
  const callsOf = (id: string, where: (row: Report) => boolean = () => true) =>
    ledger.sum(
      ({ calls }) => calls,
      (row) => row.credential_id === id && where(row),
    );
  expect(ledger.sum(({ calls }) => calls)).toBe(1);
  expect(callsOf('virtual')).toBe(1);
  expect(callsOf('billed')).toBe(0);
  // What the provider bills by the other key can still be told: what was taken back there says so.
  expect(callsOf('billed', ({ flags }) => flags.includes('other_key'))).toBe(-1);
  expect(callsOf('virtual', ({ flags }) => flags.includes('other_key'))).toBe(0);
});

test('an entry stays though the report that it had an address and a standing from is taken back before the other one is', () => {
  const ledger = ledgerOf([
    byAgent({ fingerprint: KEY, standing: 'known', hint: '', ip: '10.0.0.1' }),
    byProxy({ standing: 'unknown', ip: '10.0.0.9' }),
  ]);
  const { entries, reversals } = correctionsOf([...ledger.stored.values()]);
  [...entries, ...reversals.filter(({ reporter }) => reporter === 'proxy')].forEach(ledger.store);
  ledger.settle();
  expect([...ledger.stored.values()].filter(({ reporter }) => reporter === 'proxy').map(({ calls }) => calls)).toEqual([
    1, -1,
  ]);
  expect(
    ledger.sum(
      ({ calls }) => calls,
      ({ ip, standing }) => ip === '10.0.0.9' && standing === 'unknown',
    ),
  ).toBe(1);
  expect(ledger.sum(({ calls }) => calls)).toBe(1);
});

test('what is joined is not joined with the next request of one of its reporters', () => {
  const own = { request_id: '', fingerprint: KEY, standing: 'known', match: 'proven' } as const;
  const ledger = ledgerOf([byAgent({ ...own, credential_id: 'credential-1' }), byProxy({ ...own, hint: '' })]);
  ledger.settle();
  ledger.store(byProxy({ ...own, id: 'p-2', hint: '' }));
  ledger.settle();
  expect(ledger.sum(({ calls }) => calls)).toBe(2);
});

test('reports that name two request ids are not one, though a third without an id is like both', () => {
  const ledger = ledgerOf([
    byAgent({ request_id: '' }),
    byProxy({ request_id: 'req_1' }),
    byProxy({ request_id: 'req_2', source: 'litellm', id: 'p-2' }),
  ]);
  ledger.settle();
  expect(ledger.sum(({ calls }) => calls)).toBe(2);
});

test('a request that ever more proxies report is joined no further than a correction holds', () => {
  const ledger = ledgerOf(Array.from({ length: REFS_MAX + 6 }, (_, at) => byProxy({ source: `proxy-${at}` })));
  ledger.settle();
  expect(Math.max(...[...ledger.stored.values()].map((row) => joinsOf(row).length))).toBeLessThanOrEqual(REFS_MAX);
  expect(ledger.sum(({ calls }) => calls)).toBe(2);
});

test('whenever the reconciler is killed, sees rows late or runs twice, each request counts once in the end and never not at all', () => {
  const request = fc.record({
    reporters: fc.uniqueArray(fc.constantFrom('agent', 'proxy', 'sdk'), { minLength: 1, maxLength: 3 }),
    hasId: fc.boolean(),
    tokens: fc.integer({ min: 1, max: 4 }),
    namesKey: fc.boolean(),
    /** What the proxy knows otherwise: the address, a standing from before the key was registered, an outcome. */
    ofProxy: fc.record({
      ip: fc.constantFrom('', '10.0.0.1', '10.0.0.9'),
      standing: fc.constantFrom('known' as const, 'unknown' as const),
      outcome: fc.constantFrom('success' as const, 'failed' as const),
      status_code: fc.constantFrom(0, 200),
    }),
    hint: fc.constantFrom('', 'sk-ant-api03-…abcd'),
  });
  const step = fc.record({
    /** Reports that arrive before the look. */
    arrive: fc.nat({ max: 4 }),
    /** Of the corrections found, in their order, those that were published before the kill. */
    published: fc.nat({ max: 8 }),
    /** What of it is stored before the next look: taken back is on several partitions, and each is stored when it is. */
    stored: fc.constantFrom('all', 'some', 'none'),
  });
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 5 }),
      fc.array(step, { maxLength: 8 }),
      fc.infiniteStream(fc.nat()),
      (requests, steps, order) => {
        const reports = requests.flatMap(({ reporters, hasId, tokens, namesKey, hint, ofProxy }, index) =>
          reporters.map((reporter) => {
            const make = reporter === 'proxy' ? byProxy : byAgent;
            return make({
              ...{ id: `${reporter}-${index}`, source: reporter, reporter: reporter as Report['reporter'] },
              ...{ request_id: hasId ? `req_${index}` : '', session: `s-${index}`, tokens_output: tokens },
              ...(namesKey ? { fingerprint: KEY, standing: 'known' as const, hint } : {}),
              ...(reporter === 'proxy' ? ofProxy : {}),
            });
          }),
        );
        const arriving = reports
          .map((row) => ({ row, at: order.next().value }))
          .sort((left, right) => left.at - right.at)
          .map(({ row }) => row);
        const ledger = ledgerOf([]);
        let onBus: Report[] = [];
        const drain = () => {
          onBus.forEach(ledger.store);
          onBus = [];
        };
        for (const { arrive, published, stored } of steps) {
          arriving.splice(0, arrive).forEach(ledger.store);
          const { entries, reversals } = correctionsOf([...ledger.stored.values()]);
          // Entries are certain to be on the bus before the first reversal is.
          onBus.push(...[...entries, ...reversals].slice(0, published));
          if (stored === 'some') {
            const [here, there] = [[] as Report[], [] as Report[]];
            for (const row of onBus) (row.calls > 0 || order.next().value % 2 === 0 ? here : there).push(row);
            here.forEach(ledger.store);
            onBus = there;
          }
          if (stored === 'all') drain();
          for (const session of new Set([...ledger.stored.values()].map((row) => row.session)))
            expect(
              ledger.sum(
                ({ calls }) => calls,
                (row) => row.session === session,
              ),
            ).toBeGreaterThanOrEqual(1);
        }
        arriving.forEach(ledger.store);
        drain();
        ledger.settle();
        expect(ledger.sum(({ calls }) => calls)).toBe(requests.length);
        expect(ledger.sum(({ tokens_output }) => tokens_output)).toBe(
          requests.reduce((sum, { tokens }) => sum + tokens, 0),
        );
        for (const index of requests.keys())
          expect(
            ledger.sum(
              ({ calls }) => calls,
              ({ session }) => session === `s-${index}`,
            ),
          ).toBe(1);
        expect(correctionsOf([...ledger.stored.values()])).toEqual({ entries: [], reversals: [] });
      },
    ),
    { numRuns: 400 },
  );
});

test('a correction is read from the bus as it was put there, and nonsense is refused with its reason', () => {
  const { entries, reversals } = correctionsOf([byAgent(), byProxy()]);
  for (const correction of [...entries, ...reversals]) {
    const { value, headers } = correctionRecord(correction);
    const record = { partition: 3, offset: 9, key: null, value: Buffer.from(value), headers: headers!, timestamp: 0 };
    const row = correctionRow(CORRECTION_VERSION, JSON.parse(value.toString()), record, 0);
    const { seen_at, calls, joins, tokens_output, cost_nano_usd, standing } = correction;
    expect(row).toMatchObject({ seen_at, calls, joins, tokens_output, cost_nano_usd, standing, kafka_partition: 3 });
    const cells = JSON.parse(value.toString()) as unknown[];
    for (const [at, bad, reason] of [
      [40, 2, /calls/],
      [41, '', /joins/],
      [41, '[["a"]]', /joins/],
      [42, 'fine', /standing/],
      [26, 0.5, /tokens_input_uncached/],
    ] as const)
      expect(correctionRow(CORRECTION_VERSION, cells.with(at, bad), record, 0)).toMatch(reason);
    // One of before, which may still be on the bus.
    const before = correctionRow('correction-1', cells.toSpliced(38, 2), record, 0);
    expect(before).toMatchObject({ calls, joins, tokens_output, response_id: '', rate_limits: '' });
  }
});
