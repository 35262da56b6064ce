import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** What came of a test event. */
export interface TestResult {
  ok: boolean;
  /** One sentence for a person, with what to do when it failed. */
  message: string;
}

const TIMEOUT_MS = 10_000;
const RETRY_MS = 200;

/**
 * Sends one event along the way that a client's reports go, and says what came of it. It names no key, so that it shows as
 * use by the agent `lanewatch-connect` and never in the lane of a real key.
 * @param route as in the client's configuration
 * @param patienceMs how long an answer that the key is unknown is asked again, for a key that was just issued
 */
export async function sendTestEvent(
  ingestUrl: string,
  collectorKey: string,
  route: string,
  patienceMs: number,
): Promise<TestResult> {
  const body = JSON.stringify(testBody(route, Date.now()));
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${collectorKey}` };
  const deadline = Date.now() + patienceMs;
  let response: Response;
  try {
    do {
      response = await fetch(`${ingestUrl}${route}`, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } while (response.status === 401 && Date.now() < deadline && (await delay(RETRY_MS, true)));
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = cause instanceof Error && cause.message !== '' ? cause.message : message;
    return {
      ok: false,
      message: `${ingestUrl} does not answer (${reason}): start Lanewatch with npm start, or name its address with --url.`,
    };
  }
  const text = await response.text();
  if (!response.ok)
    return { ok: false, message: `${ingestUrl}${route} refused it with ${response.status}: ${detailOf(text)}` };
  if (/rejected(LogRecords|Spans)|"rejected":[1-9]|"errors":\[\{/.test(text)) {
    return { ok: false, message: `${ingestUrl}${route} took the request, but not the event: ${text.slice(0, 300)}` };
  }
  return {
    ok: true,
    message: `${ingestUrl}${route} took a test event (${response.status}); the dashboard shows it as agent lanewatch-connect.`,
  };
}

function detailOf(text: string): string {
  try {
    const { detail, message } = JSON.parse(text) as { detail?: string; message?: string };
    return detail ?? message ?? text.slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}

/** The least that a program of this route would send, with an identity of its own. */
function testBody(route: string, now: number): unknown {
  const id = randomBytes(8).toString('hex');
  const time = new Date(now).toISOString();
  const agent = 'lanewatch-connect';
  const userAgent = `${agent}/1`;
  const attributes = (values: Record<string, string | number>) =>
    Object.entries(values).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { intValue: value } : { stringValue: value },
    }));
  const request = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'connection-test',
    'gen_ai.usage.input_tokens': 0,
  };
  const resource = { attributes: attributes({ 'service.name': agent, 'service.version': '1' }) };
  const nanoseconds = `${now}000000`;
  switch (route) {
    case '/v1/logs': {
      const record = {
        'event.name': 'gen_ai.client.inference.operation.details',
        'gen_ai.response.id': id,
        ...request,
      };
      const logRecords = [{ timeUnixNano: nanoseconds, attributes: attributes(record) }];
      return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
    }
    case '/v1/traces': {
      const span = {
        traceId: randomBytes(16).toString('hex'),
        spanId: id,
        name: 'connection test',
        attributes: attributes(request),
      };
      const spans = [{ ...span, startTimeUnixNano: nanoseconds, endTimeUnixNano: nanoseconds }];
      return { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
    }
    case '/v1/litellm':
      return {
        id,
        startTime: now / 1000,
        endTime: now / 1000,
        model: 'connection-test',
        metadata: { user_agent: userAgent },
      };
    case '/v1/kong':
      return {
        started_at: now,
        latencies: { request: 0 },
        response: { status: 200 },
        request: { id, method: 'GET', uri: '/connection-test', headers: { 'user-agent': userAgent } },
      };
    case '/v1/envoy':
      return {
        start_time: time,
        response_code: 200,
        'x-request-id': id,
        'user-agent': userAgent,
        method: 'GET',
        path: '/connection-test',
      };
    case '/v1/nginx':
      return {
        time_iso8601: time,
        remote_addr: '127.0.0.1',
        request: 'GET /connection-test HTTP/1.1',
        status: '200',
        request_id: id,
        http_user_agent: userAgent,
      };
    case '/api/public/ingestion': {
      const body = { id, model: 'connection-test', startTime: time, endTime: time };
      return {
        batch: [{ id, type: 'generation-create', timestamp: time, body }],
        metadata: { sdk_integration: agent },
      };
    }
    default:
      return {
        source: agent,
        id,
        time,
        agent: { name: agent, version: '1' },
        operation: 'connection-test',
        action: 'access',
      };
  }
}
