import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problemSchema } from '../../contract/index.ts';

const PROBLEM_ANSWER = {
  description: 'Any refusal or fault: problem+json (RFC 9457).',
  content: { 'application/problem+json': { schema: z.toJSONSchema(problemSchema, { io: 'output' }) } },
};

/**
 * The OpenAPI form of a route's schema, with what every route has and none needs to repeat: each may answer with a problem, and those
 * that are open ask for no session.
 */
export const describeRoute: SwaggerTransform = (context) => {
  const { schema, url } = jsonSchemaTransform(context as Parameters<typeof jsonSchemaTransform>[0]) as {
    schema: FastifySchema & { hide?: boolean; security?: unknown };
    url: string;
  };
  if (schema.hide === true) return { schema, url };
  const { open } = (context.route.config ?? {}) as { open?: boolean };
  const response = { ...(schema.response as object | undefined), default: PROBLEM_ANSWER };
  return {
    schema: {
      ...schema,
      response,
      ...(open === true && schema.security === undefined ? { security: [] } : {}),
    } as FastifySchema,
    url,
  };
};
