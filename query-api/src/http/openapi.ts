import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifyContextConfig, FastifySchema } from 'fastify';
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
    isOpen: asksNobody,
    proves: ofAccount || (asksNobody && (changes || schema.querystring !== undefined)),
    changes,
    names: url.includes('/:'),
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
