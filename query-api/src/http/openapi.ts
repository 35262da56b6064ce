import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifyContextConfig, FastifySchema, RouteOptions } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problemSchema } from '../../contract/index.ts';
import { problemsOf } from './documented-problems.ts';
import type { RouteFacts } from './documented-problems.ts';

/** What many routes answer with, by name. */
export const DOCUMENTED_SCHEMAS = { Problem: z.toJSONSchema(problemSchema, { io: 'output' }) as object };
const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** The content of answers that are files, as OpenAPI names it. */
export function fileContents(types: readonly string[]): Record<string, { schema: z.ZodAny }> {
  const bytes = z.any().meta({ type: 'string', format: 'binary' });
  return Object.fromEntries(types.map((type) => [type.split(';', 1)[0], { schema: bytes }]));
}

type Transformed = FastifySchema & { hide?: boolean; security?: readonly unknown[]; tags?: readonly string[] };

const takesQuery = ({ querystring }: Transformed): boolean =>
  Object.keys((querystring as { properties?: object } | undefined)?.properties ?? {}).length > 0;

/** What answers from the ledger, and may be told that it would have to read too much. */
const LEDGER_TAGS = ['reads', 'findings', 'sql'];
const LEDGER_PATHS = /^\/v1\/(exports|evidence|onboarding|imports|rules|backtests)\b/;

/** Routes of the API that say nothing about a query take none: a mistyped name is refused instead of being passed over. */
export function refuseUnsaidQueries({ url, schema }: RouteOptions): void {
  if (schema === undefined || !url.startsWith('/v1/')) return;
  schema.querystring ??= z.strictObject({});
}

function factsOf(
  method: string | string[],
  url: string,
  schema: Transformed,
  config: FastifyContextConfig,
): RouteFacts {
  const changes = method !== 'GET';
  const asksNobody = config.open === true && schema.security === undefined;
  const ofAccount = config.can === 'own_account' && changes;
  return {
    route: `${[method].flat().join()} ${url}`,
    isOpen: asksNobody,
    // Verify is open to sessions and keys, and refuses those of them that may not ask.
    isRestricted:
      !asksNobody &&
      (changes || config.sessionOnly === true || !['read', 'own_account', undefined].includes(config.can)),
    readsLedger: LEDGER_TAGS.some((tag) => schema.tags?.includes(tag)) || LEDGER_PATHS.test(url),
    proves: ofAccount || (asksNobody && (changes || takesQuery(schema))),
    changes,
    names: url.includes('/:'),
    asksOthers: url.startsWith('/v1/imports/'),
    queries: schema.tags?.includes('sql') === true,
    streams: JSON.stringify(schema.response ?? {}).includes('"text/event-stream"'),
  };
}

/**
 * The OpenAPI form of a route's schema, with what every route has and none needs to repeat: the problems that it may answer with, by
 * status, and that those which are open ask for no session.
 */
export const describeRoute: SwaggerTransform = (context) => {
  const { schema, url } = jsonSchemaTransform(context as Parameters<typeof jsonSchemaTransform>[0]) as {
    schema: Transformed;
    url: string;
  };
  if (schema.hide === true) return { schema, url };
  const config = (context.route.config ?? {}) as FastifyContextConfig;
  const facts = factsOf(context.route.method, url, schema, config);
  const problems = Object.entries(problemsOf(facts)).map(
    ([status, description]) => [status, { description, content: PROBLEM_CONTENT }] as const,
  );
  return {
    schema: {
      ...schema,
      response: { ...Object.fromEntries(problems), ...(schema.response as object | undefined) },
      ...(config.open === true && schema.security === undefined ? { security: [] } : {}),
    } as FastifySchema,
    url,
  };
};
