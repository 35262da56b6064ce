import * as contract from '@lanewatch/query-api/contract';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { laneDetailOf, overviewOf } from './answers.ts';
import { accountAnswer } from './fake-accounts.ts';
import { newDesk, QueryEvents, spendAnswer, sqlAnswer, type FakeDesk } from './fake-desk.ts';
import { callersOf, casesPage, sharingOf } from './fake-cases.ts';
import { entitiesPage, entityDetail, sessionOf } from './fake-entities.ts';
import { governanceAnswer, newGovernance, type FakeGovernance } from './fake-governance.ts';
import { ledgerHistogram, ledgerPage } from './fake-ledger.ts';
import { collectorsOf, lanesPage, page } from './fake-lists.ts';
import { credentialDetail, registryAnswer } from './fake-registry-changes.ts';
import { found, ProblemAnswer } from './fake-registry.ts';
import { settingsAnswer } from './fake-settings.ts';
import { ADA, triageAnswer, type FakeTriage } from './fake-triage.ts';
import type { Organisation } from './organisation.ts';
import type { Received } from './received.ts';

/** A query-api that speaks the contract over an organisation in memory. Every answer is checked by the contract's schema. */
export interface FakeQueryApi {
  url: string;
  org: Organisation;
  received: Received[];
  desk: FakeDesk;
  /** Policies, jobs, trail, exports and onboarding. */
  governance: FakeGovernance;
  /** The link that signs in, once. */
  link: string;
  /** A session that is already signed in. */
  session: string;
  /** While set, everything that needs the ledger is answered 503, and the registry does without it. */
  ledgerAway: boolean;
  /** What the signed-in person may do. */
  role: contract.Role;
  /** Whether they have said who they are. */
  setup: contract.Me['setup'];
  /** What becomes of the next changes: done, with an answer as always; done, and the connection ends without one; refused; or refused without a fresh second factor. */
  commands: 'answered' | 'unanswered' | 'refused' | 'step_up_needed';
  /** How many pages listen to the stream of changes. */
  listeners(): number;
  /** Ends every stream of changes, as a session that ended does. Browsers ask again at once. */
  hangUp(): void;
  /** Tells every open page that something was stored, at the given instant where that is not in the figures yet. */
  announce(storedAt?: string): void;
  /** A finding comes in: it is there, and every open page is told of it. */
  comeFinding(finding: contract.FindingItem): void;
  close(): Promise<void>;
}

/** A sign-in link that is answered as one too many. */
export const TOO_MANY_LINKS = 'too-many';

/**
 * Starts the fake on a free port of 127.0.0.1.
 * @param org the organisation; tests change it while it runs
 * @param nowMs the moment the organisation is seen from
 * @param port 0 for any free one
 */
export async function startFakeQueryApi(org: Organisation, nowMs: () => number, port = 0): Promise<FakeQueryApi> {
  const received: Received[] = [];
  const streams = new Set<ServerResponse>();
  const session = randomBytes(12).toString('hex');
  let [registryVersion, events] = [1, 0];
  const triage: FakeTriage = { history: new Map(), comments: new Map() };
  const fake: FakeQueryApi = {
    url: '',
    org,
    received,
    desk: newDesk(),
    governance: newGovernance(),
    link: randomBytes(12).toString('hex'),
    session,
    ledgerAway: false,
    role: 'admin',
    setup: 'done',
    commands: 'answered',
    listeners: () => streams.size,
    hangUp: () => streams.forEach((stream) => stream.end()),
    comeFinding: (finding) => {
      org.findings.unshift(finding);
      tell('finding', contract.streamFindingSchema.parse({ ...finding, is_new: true }));
    },
    announce: (storedAt) => streams.forEach((stream) => stream.write(change(storedAt))),
    close: async () => {
      streams.forEach((stream) => stream.destroy());
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const change = (storedAt = lastStored()) => {
    const value = contract.changeSchema.parse({
      ...{ last_stored_at: storedAt, registry_version: registryVersion, triage_version: events },
      ...{ ledger_answers: !fake.ledgerAway, findings_version: String(fake.org.findings.length) },
    });
    return `event: change\ndata: ${JSON.stringify(value)}\n\n`;
  };
  const lastStored = () => overviewOf(fake.org, '90d', nowMs()).last_stored_at;

  const withUsage = (credential: contract.CredentialItem): contract.CredentialItem => {
    if (fake.ledgerAway) return { ...credential, last_used_at: null, usage: 'unavailable' };
    const newest = fake.org.rows.find(({ fingerprint }) => fingerprint === credential.fingerprint);
    return { ...credential, last_used_at: newest?.seen_at ?? credential.last_used_at };
  };

  function credentials(query: z.infer<typeof contract.credentialsQuerySchema>): contract.CredentialsPage {
    const needle = query.q?.toLowerCase() ?? '';
    const of = (status: string) => fake.org.credentials.filter((one) => one.status === status).length;
    const items = fake.org.credentials
      .filter((one) => query.status === undefined || one.status === query.status)
      .filter((one) => query.kind === undefined || one.kind === query.kind)
      .filter((one) => query.module === undefined || one.module === (query.module === 'none' ? '' : query.module))
      .filter((one) => query.mark === undefined || one.marks.includes(query.mark))
      .filter((one) =>
        [one.name, one.id, one.hint, one.owner, one.org].some((text) => text.toLowerCase().includes(needle)),
      );
    const totals = { total: fake.org.credentials.length, ...{ active: of('active'), expired: of('expired') } };
    const { items: shown, next_cursor } = page(items, query);
    return contract.credentialsPageSchema.parse({
      items: shown.map(withUsage),
      next_cursor,
      totals: { ...totals, revoked: of('revoked') },
      matching: items.length,
    });
  }

  function tell(event: string, data: object): void {
    events++;
    streams.forEach((stream) => stream.write(`id: fake-${events}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  }

  function tellAct({ id, status, severity, assignee, comments, version }: contract.FindingItem): void {
    const act = { finding_id: id, act: 'acknowledge', by: ADA, at: new Date(nowMs()).toISOString() } as const;
    tell('triage', contract.streamTriageSchema.parse({ ...act, status, severity, assignee, comments, version }));
  }

  function changed<Answer>(answer: Answer): Answer {
    registryVersion += 1;
    fake.announce();
    return answer;
  }

  function answer(method: string, url: URL, body: string, once: string): unknown {
    const query: Record<string, unknown> = {};
    for (const name of new Set(url.searchParams.keys())) {
      const values = url.searchParams.getAll(name);
      query[name] = values.length === 1 ? values[0] : values;
    }
    const [, , kind, id, verb] = url.pathname.split('/').map(decodeURIComponent);
    const sent = body === '' ? undefined : (JSON.parse(body) as unknown);
    if (kind === 'credentials') {
      const told = registryAnswer(fake.org, { method, id, verb, body: sent, query, once }, nowMs());
      if (told !== undefined) return method === 'GET' || id === 'preflight' ? told : changed(told);
    }
    const told =
      accountAnswer(fake.org, { method, kind, id, body }, nowMs()) ??
      settingsAnswer(fake.org, { method, kind, id, verb }, nowMs());
    if (told !== undefined) return told;
    const governed = governanceAnswer(fake.governance, fake.org, { method, kind, id, verb, body: sent }, nowMs());
    if (governed !== undefined) return governed;
    if (fake.ledgerAway && kind !== 'credentials')
      throw new ProblemAnswer(503, 'The ledger (ClickHouse) does not respond. Try again in a moment.');
    if (kind === 'findings') {
      const before = new Map(fake.org.findings.map((one) => [one.id, one.version + one.comments]));
      const told = triageAnswer(fake.org, triage, { method, id, verb, body: sent, query }, nowMs());
      for (const finding of fake.org.findings)
        if (before.get(finding.id) !== finding.version + finding.comments) tellAct(finding);
      return told;
    }
    if (kind === 'dead-letters' && verb === 'replay') {
      const letter = found(fake.org.deadLetters.find((one) => one.id === id));
      if (letter.replayed_at !== null) throw new ProblemAnswer(409, 'It was replayed already.');
      Object.assign(letter, { replayed_at: new Date(nowMs()).toISOString(), replayed_by: 'ada' });
      return contract.deadLetterSchema.parse(letter);
    }
    if (method !== 'GET') throw new ProblemAnswer(405, 'No.');
    switch (kind) {
      case 'overview':
        return contract.overviewSchema.parse(
          overviewOf(fake.org, contract.overviewQuerySchema.parse(query).window, nowMs()),
        );
      case 'cases':
        return casesPage(fake.org, contract.casesQuerySchema.parse(query), nowMs());
      case 'lanes': {
        if (verb === 'callers') return callersOf(fake.org, String(id), nowMs());
        if (verb === 'sharing') return sharingOf(fake.org, String(id), nowMs());
        if (id === undefined) return lanesPage(fake.org, contract.lanesQuerySchema.parse(query), nowMs());
        return contract.laneDetailSchema.parse(
          found(laneDetailOf(fake.org, id, contract.overviewQuerySchema.parse(query).window, nowMs())),
        );
      }
      case 'ledger':
        if (id === 'totals') {
          const { totals } = ledgerPage(fake.org, { ...contract.ledgerTotalsQuerySchema.parse(query), limit: 1 });
          return contract.ledgerTotalsSchema.parse({ is_complete: true, ...totals });
        }
        if (id === 'histogram')
          return ledgerHistogram(fake.org, contract.ledgerHistogramQuerySchema.parse(query), nowMs());
        return ledgerPage(fake.org, contract.ledgerQuerySchema.parse(query));
      case 'entities': {
        const of = contract.entityKindSchema.parse(id);
        if (verb === undefined) return entitiesPage(fake.org, of, contract.entitiesQuerySchema.parse(query), nowMs());
        const { window } = contract.overviewQuerySchema.parse(query);
        return entityDetail(fake.org, of, contract.valueOfSegment(verb), window, nowMs());
      }
      case 'spend':
        return spendAnswer(fake.org, id, query, nowMs());
      case 'collectors':
        return collectorsOf(fake.org, nowMs());
      case 'dead-letters':
        if (id === undefined)
          return contract.deadLettersPageSchema.parse(
            page(fake.org.deadLetters, contract.deadLettersQuerySchema.parse(query)),
          );
        return contract.deadLetterDetailSchema.parse({
          ...found(fake.org.deadLetters.find((one) => one.id === id)),
          ...{ text: '{"user": <b>', is_cut: false },
        });
      case 'sessions':
        return sessionOf(
          fake.org,
          contract.valueOfSegment(id ?? ''),
          contract.sessionQuerySchema.parse(query),
          nowMs(),
        );
      case 'credentials': {
        if (id === undefined) return credentials(contract.credentialsQuerySchema.parse(query));
        const key = withUsage(found(fake.org.credentials.find((one) => one.id === id)));
        return contract.credentialDetailSchema.parse({
          ...credentialDetail(fake.org, key),
          ...(fake.ledgerAway ? { spend: null } : {}),
        });
      }
      default:
        throw new ProblemAnswer(404, 'There is no such route.');
    }
  }

  /** Who holds the session. */
  const me = () =>
    contract.meSchema.parse({
      ...{ id: 'person-1', name: 'Ada', email: ADA, role: fake.role, via: 'session', setup: fake.setup },
      ...{ session_expires_at: null, has_password: true, totp_enabled: false, stepped_up_until: null },
    });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? '/', 'http://fake');
    const method = request.method ?? 'GET';
    received.push({
      ...{ method, url: url.pathname + url.search, body },
      unattended: request.headers[contract.UNATTENDED_HEADER] === '1',
    });
    const send = (status: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        'content-type': status < 400 ? 'application/json' : 'application/problem+json',
        ...headers,
      });
      response.end(JSON.stringify(value));
    };
    const problem = (status: number, detail: string, errors: contract.Problem['errors'] = [], type = 'about:blank') =>
      send(
        status,
        contract.problemSchema.parse({
          type,
          title: 'Refused',
          status,
          detail,
          errors,
          request_id: 'fake',
        }),
      );
    if (url.pathname === '/readyz') return send(200, {});
    if (url.pathname === '/v1/sign-in/methods') return send(200, { password: false, passkeys: false, oidc: null });
    if (url.pathname === '/v1/sign-in') {
      const { link } = JSON.parse(body) as { link?: string };
      if (link === TOO_MANY_LINKS) return problem(429, 'Too many links that are none.');
      if (link !== fake.link) return problem(401, 'The link is wrong.');
      fake.link = randomBytes(12).toString('hex');
      return send(200, me(), {
        'set-cookie': `lanewatch_session=${session}; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200`,
      });
    }
    if (!(request.headers.cookie ?? '').includes(`lanewatch_session=${session}`)) return problem(401, 'Sign in first.');
    if (url.pathname === '/v1/me') return send(200, me());
    if (url.pathname === '/v1/sign-out') return send(200, {});
    if (url.pathname === '/v1/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`retry: 50\n\n${change()}`);
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    if (method !== 'GET' && fake.commands === 'refused') return problem(409, 'Another change came first.');
    if (method !== 'GET' && fake.commands === 'step_up_needed')
      return problem(403, 'This needs a code.', [], 'urn:lanewatch:problem:step_up_needed');
    try {
      const once = String(request.headers[contract.IDEMPOTENCY_HEADER] ?? '');
      const value = url.pathname.startsWith('/v1/sql')
        ? sqlAnswer(fake.desk, request, url, body, nowMs())
        : answer(method, url, body, once);
      if (value instanceof QueryEvents) return value.send(response);
      if (method !== 'GET' && fake.commands === 'unanswered') return void request.socket.destroy();
      send(200, value);
    } catch (error) {
      if (error instanceof ProblemAnswer) problem(error.status, error.message, error.errors);
      else problem(error instanceof Error && error.name === 'ZodError' ? 400 : 500, String(error));
    }
  }

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}
