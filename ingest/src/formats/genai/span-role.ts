import { type Attributes, textAttribute } from '../otlp/attributes.ts';
import type { Span, SpanRole } from '../otlp/span.ts';
import { hasTokens } from './tokens.ts';

/** Values of `gen_ai.operation.name` that are one request of a model. */
const REQUEST_OPERATIONS = new Set([
  'chat',
  'completion',
  'embeddings',
  'embedding',
  'generate_content',
  'image_generation',
  'rerank',
  'responses',
  'speech',
  'text_completion',
  'transcription',
]);
/** Those of OpenInference (`openinference.span.kind`) and of old Traceloop (`llm.request.type`). */
const REQUEST_KINDS = new Set(['LLM', 'EMBEDDING', 'RERANKER']);
const REQUEST_TYPES = new Set(['chat', 'completion', 'embedding', 'rerank']);

/** Agents whose logs report each request. Their spans say the same again, some of them with an operation name. */
const REPORTED_AS_LOGS = /^(claude-code|codex[_-]|gemini-cli$)/;
const LOG_AGENT_SCOPES = /^(com\.anthropic\.claude_code|codex_)/;

/**
 * What a span is. A tool and an agent are limits: a model that a tool asks is another request than the one which called the tool, and what an agent says of tokens
 * is the sum of its requests.
 */
export function roleOf({ resource, scopeName, name, attributes }: Span): SpanRole {
  if (LOG_AGENT_SCOPES.test(scopeName)) return 'other';
  if (REPORTED_AS_LOGS.test(textAttribute(resource, 'service.name') ?? '')) return 'other';
  const vercel = textAttribute(attributes, 'ai.operationId') ?? (/^ai\.\w/.test(name) ? name.split(' ', 1)[0]! : '');
  if (vercel !== '') return roleInVercel(vercel);
  const operation = textAttribute(attributes, 'gen_ai.operation.name');
  if (operation !== undefined) return REQUEST_OPERATIONS.has(operation.toLowerCase()) ? 'request' : 'limit';
  const kind = textAttribute(attributes, 'openinference.span.kind');
  if (kind !== undefined) return REQUEST_KINDS.has(kind.toUpperCase()) ? 'request' : 'limit';
  if (textAttribute(attributes, 'traceloop.span.kind') !== undefined) return 'limit';
  return isOldRequest(attributes) ? 'request' : 'other';
}

/** The Vercel AI SDK wraps its requests: `ai.generateText` repeats the sum of the `ai.generateText.doGenerate` inside it. */
function roleInVercel(operation: string): SpanRole {
  if (/\.do(Generate|Stream|Embed|Rerank)$/.test(operation)) return 'request';
  return 'limit';
}

const isOldRequest = (attributes: Attributes) =>
  REQUEST_TYPES.has(textAttribute(attributes, 'llm.request.type') ?? '') || hasTokens(attributes);
