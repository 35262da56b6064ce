/**
 * The names under which the sources write one fact, newest first: the GenAI conventions as they are and as they were, the Vercel AI SDK
 * (`ai.*`), OpenInference and old Traceloop (`llm.*`), Langfuse, and LiteLLM's own spans (`metadata.*`).
 */
export const NAMES = {
  provider: ['gen_ai.provider.name', 'gen_ai.system', 'ai.model.provider', 'llm.provider', 'llm.system'],
  model: ['gen_ai.response.model', 'gen_ai.request.model', 'ai.response.model', 'ai.model.id', 'llm.model_name'],
  input: [
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.prompt_tokens',
    'ai.usage.inputTokens',
    'ai.usage.promptTokens',
    'ai.usage.tokens',
    'llm.token_count.prompt',
    'llm.usage.prompt_tokens',
  ],
  cacheRead: [
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_read_input_tokens',
    'gen_ai.usage.details.cache_read_tokens',
    'ai.usage.inputTokenDetails.cacheReadTokens',
    'ai.usage.cachedInputTokens',
    'llm.token_count.prompt_details.cache_read',
  ],
  cacheWrite: [
    'gen_ai.usage.cache_write.input_tokens',
    'gen_ai.usage.cache_creation.input_tokens',
    'gen_ai.usage.cache_creation_input_tokens',
    'gen_ai.usage.details.cache_write_tokens',
    'ai.usage.inputTokenDetails.cacheWriteTokens',
    'llm.token_count.prompt_details.cache_write',
  ],
  output: [
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.completion_tokens',
    'ai.usage.outputTokens',
    'ai.usage.completionTokens',
    'llm.token_count.completion',
    'llm.usage.completion_tokens',
  ],
  total: ['gen_ai.usage.total_tokens', 'ai.usage.totalTokens', 'llm.token_count.total', 'llm.usage.total_tokens'],
  session: [
    'gen_ai.conversation.id',
    'session.id',
    'langfuse.session.id',
    'ai.telemetry.metadata.sessionId',
    'traceloop.association.properties.session_id',
  ],
  user: [
    'user.email',
    'enduser.id',
    'user.id',
    'langfuse.user.id',
    'ai.telemetry.metadata.userId',
    'traceloop.association.properties.user_id',
    'metadata.user_api_key_user_id',
  ],
  org: ['anthropic.organization.id', 'metadata.user_api_key_org_id'],
  requestId: ['anthropic.request.id'],
  responseId: ['gen_ai.response.id', 'ai.response.id'],
  status: ['http.response.status_code', 'http.status_code'],
} as const satisfies Record<string, readonly string[]>;
