import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { raise } from './errors.ts';

export type QueryRequest = {
  user: string;
  password: string;
  queryId: string;
  /** The statement in the URL; empty when it is in the body. */
  query: string;
  database: string | undefined;
  defaultFormat: string | undefined;
  roles: string[];
  settings: Map<string, string>;
  parameters: Map<string, string>;
  /** Hold the answer back until the query has ended, so that its status is right. */
  waitEndOfQuery: boolean;
  /** The client asks for a session that keeps settings and temporary tables. */
  inSession: boolean;
  /** The client may be answered in one of these encodings. */
  compression: 'gzip' | 'deflate' | 'br' | 'zstd' | undefined;
  /** The client wants ClickHouse's own block compression around the result. */
  inBlocks: boolean;
  /** Version of ClickHouse's protocol in which the Native format is read; 0 for the one before there were versions. */
  protocolVersion: number;
  readOnlyMethod: boolean;
};

/** URL parameters that ClickHouse's HTTP interface reads itself; every other one is a setting. */
const OWN_PARAMETERS = new Set([
  'query',
  'query_id',
  'database',
  'user',
  'password',
  'quota_key',
  'role',
  'default_format',
  'wait_end_of_query',
  'buffer_size',
  'compress',
  'decompress',
  'session_id',
  'session_timeout',
  'session_check',
  'stacktrace',
  'close_session',
  'client_protocol_version',
  // Settings of ClickHouse's HTTP layer, which the engine knows but cannot act on.
  'enable_http_compression',
  'http_zlib_compression_level',
  'http_response_buffer_size',
  'http_wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
  'add_http_cors_header',
  'http_native_compression_disable_checksumming_on_decompress',
  'http_write_exception_in_output_format',
]);

/**
 * Reads everything but the body. Throws BAD_ARGUMENTS, or NOT_IMPLEMENTED for a body in ClickHouse's own block compression,
 * which this endpoint does not read.
 */
export function readRequest(request: IncomingMessage, url: URL): QueryRequest {
  const search = url.searchParams;
  /** As in ClickHouse, an empty parameter is none: clients send what they have no value for. */
  const parameter = (name: string): string | undefined => search.get(name) || undefined;
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  if (isOn(search.get('decompress'))) {
    throw raise('NOT_IMPLEMENTED', "The URL parameter 'decompress' is not supported: use Content-Encoding.");
  }
  const defaultFormat = header('x-clickhouse-format') ?? parameter('default_format');
  if (defaultFormat !== undefined && !/^[A-Za-z][A-Za-z0-9_]*$/.test(defaultFormat)) {
    throw raise('UNKNOWN_FORMAT', 'Unknown format: its name must be letters, digits and underscores.');
  }
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of search) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!OWN_PARAMETERS.has(name)) settings.set(name, value);
  }
  return {
    ...readCredentials(request, search, header),
    queryId: parameter('query_id') ?? header('x-clickhouse-query-id') ?? randomUUID(),
    query: search.get('query') ?? '',
    database: parameter('database') ?? header('x-clickhouse-database'),
    defaultFormat,
    roles: search.getAll('role').filter((role) => role !== ''),
    settings,
    parameters,
    waitEndOfQuery: isOn(search.get('wait_end_of_query')) || isOn(search.get('http_wait_end_of_query')),
    inSession: parameter('session_id') !== undefined,
    compression: isOn(search.get('enable_http_compression'))
      ? chooseEncoding(header('accept-encoding') ?? '')
      : undefined,
    inBlocks: isOn(search.get('compress')),
    protocolVersion: Number(parameter('client_protocol_version') ?? 0),
    readOnlyMethod: request.method === 'GET' || request.method === 'HEAD',
  };
}

/** Adds the fields of a multipart form: clients send large query parameters that way. */
export async function readForm(target: QueryRequest, contentType: string, body: Buffer): Promise<void> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
  } catch (error) {
    throw raise('BAD_ARGUMENTS', `The multipart body cannot be read: ${(error as Error).message}`);
  }
  for (const [name, value] of form) {
    if (typeof value !== 'string')
      throw raise('NOT_IMPLEMENTED', 'External tables in a multipart body are not supported.');
    if (name === 'query') target.query += value;
    else if (name.startsWith('param_')) target.parameters.set(name.slice('param_'.length), value);
    else if (!OWN_PARAMETERS.has(name)) target.settings.set(name, value);
  }
}

function isOn(value: string | null): boolean {
  return value === '1' || value === 'true';
}

function readCredentials(
  request: IncomingMessage,
  search: URLSearchParams,
  header: (name: string) => string | undefined,
): { user: string; password: string } {
  const authorization = request.headers.authorization;
  const headerUser = header('x-clickhouse-user');
  const headerKey = header('x-clickhouse-key');
  if (headerUser !== undefined || headerKey !== undefined) {
    if (authorization !== undefined) {
      throw raise('AUTHENTICATION_FAILED', 'Invalid authentication: it is not allowed to use two ways at once.');
    }
    return { user: headerUser ?? 'default', password: headerKey ?? '' };
  }
  if (authorization !== undefined) {
    const basic = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(authorization);
    if (basic === null)
      throw raise('AUTHENTICATION_FAILED', 'Invalid authentication: only the Basic scheme is supported.');
    const text = Buffer.from(basic[1]!, 'base64').toString();
    const colon = text.indexOf(':');
    return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return { user: search.get('user') ?? 'default', password: search.get('password') ?? '' };
}

function chooseEncoding(accepted: string): QueryRequest['compression'] {
  const names = accepted
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]!.trim().toLowerCase());
  // ClickHouse's order of preference, of the ones built into Node.
  return (['br', 'gzip', 'deflate', 'zstd'] as const).find((encoding) => names.includes(encoding));
}
