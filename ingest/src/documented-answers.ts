import { z } from 'zod';
import { countsSchema, fatesSchema } from './answers.ts';
import type { HttpFormat } from './formats/format.ts';
import { isProtobuf } from './formats/otlp/request.ts';
import { type ProblemCode, problemSchema, PROBLEMS } from './problem.ts';

/** One status in the form of OpenAPI. */
interface DocumentedAnswer {
  description: string;
  content: Record<string, { schema: z.ZodType }>;
}

/** Refusals that no route of a format gives: they are the answer where there is no such route, or no request. */
const OF_NO_ROUTE: ReadonlySet<ProblemCode> = new Set(['not_found', 'method_not_allowed']);
const PROBLEM_JSON = 'application/problem+json';

/** A refusal of every event says what would have been counted. */
const refusedSchema = problemSchema.extend(countsSchema.omit({ errors: true }).partial().shape);
const anyBytes = z.string().meta({ format: 'binary' });
const exportResponseSchema = z.object({
  partialSuccess: z
    .object({
      rejectedLogRecords: z.string().optional(),
      rejectedDataPoints: z.string().optional(),
      rejectedSpans: z.string().optional(),
      errorMessage: z.string(),
    })
    .optional()
    .describe('Only when something was refused.'),
});
const rpcStatusSchema = z.object({ code: z.number().int(), message: z.string() }).describe('google.rpc.Status');

/**
 * Every status that the route of a format can answer, with its content types. For OTLP the specification wants the request's own content
 * type, so a refusal of a body in another form than protobuf is JSON; what is wrong below HTTP is told as a problem by every route.
 */
export function responsesOf(format: HttpFormat): Record<number, DocumentedAnswer | z.ZodType> {
  const isOtlp = format.answer.startsWith('otlp');
  const contentOf = (json: z.ZodType) => ({
    'application/json': { schema: json },
    ...(isOtlp
      ? Object.fromEntries(format.mediaTypes.filter(isProtobuf).map((mediaType) => [mediaType, { schema: anyBytes }]))
      : {}),
  });
  const answers: Record<number, DocumentedAnswer | z.ZodType> = {};
  if (format.answer === 'each')
    answers[207] = { description: 'What became of each item', content: contentOf(fatesSchema) };
  else {
    const schema = isOtlp ? exportResponseSchema : countsSchema;
    answers[200] = { description: 'Every accepted event is durable', content: contentOf(schema) };
  }
  if (format.answer === 'no_content') answers[204] = z.null();
  for (const [code, { status, title }] of Object.entries(PROBLEMS) as [ProblemCode, (typeof PROBLEMS)[ProblemCode]][]) {
    if (OF_NO_ROUTE.has(code)) continue;
    const before = answers[status];
    const problem = {
      [PROBLEM_JSON]: { schema: status === PROBLEMS.invalid_events.status ? refusedSchema : problemSchema },
    };
    const description = before !== undefined && 'content' in before ? `${before.description}; ${title}` : title;
    const isBelowHttp = code === 'request_timeout' || code === 'headers_too_large' || code === 'bad_request';
    const own = isOtlp ? contentOf(rpcStatusSchema) : problem;
    const content = isBelowHttp
      ? { ...(before !== undefined && 'content' in before ? before.content : {}), ...problem }
      : own;
    answers[status] = { description, content };
  }
  return answers;
}
