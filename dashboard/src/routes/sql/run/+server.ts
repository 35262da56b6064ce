import type { RequestHandler } from './$types';
import { parametersIn } from '../parameters.ts';

const FILE_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
};

/** Runs a query: as events with its progress for the page, as a file for a form that names its kind. What comes passes through. */
export const POST: RequestHandler = async ({ locals, request }) => {
  const isForm = !(request.headers.get('content-type') ?? '').startsWith('application/json');
  const { body, accept } = isForm ? await fileAsked(await request.formData()) : await pageAsked(request);
  const upstream = await locals.api.runSql(body, accept, request.signal);
  const headers = new Headers({ 'cache-control': 'no-store' });
  for (const name of ['content-type', 'content-disposition']) {
    const value = upstream.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(upstream.body, { status: upstream.status, headers });
};

async function pageAsked(request: Request): Promise<{ body: unknown; accept: string }> {
  return { body: await request.json(), accept: 'text/event-stream' };
}

function fileAsked(form: FormData): { body: unknown; accept: string } {
  const sql = String(form.get('sql') ?? '');
  const parameters = parametersIn(sql).map(({ name }) => [name, String(form.get(`parameter ${name}`) ?? '')] as const);
  const accept = FILE_TYPES[String(form.get('as'))] ?? FILE_TYPES['csv']!;
  return { body: { sql, parameters: Object.fromEntries(parameters) }, accept };
}
