/** The disjoint counts of one answer. */
export interface Usage {
  input_uncached: number;
  cache_read: number;
  cache_write: number;
  output: number;
}

export interface Asked {
  path: string;
  body: Record<string, unknown>;
  /** Counts from 1. */
  number: number;
  /** Changed where an API has no such count. */
  usage: Usage;
}

export interface Answered {
  model: string;
  /** A stream of server-sent events, or else the answer in one piece. */
  lines?: string;
  json?: unknown;
}

type Plain = Record<string, unknown>;

/** Paths of the providers' APIs, and how each is answered. */
export const ANSWERS: readonly (readonly [RegExp, (asked: Asked) => Answered])[] = [
  [/\/v1\/messages$/, anthropic],
  [/\/responses$/, openaiResponses],
  [/\/chat\/completions$/, openaiChat],
  [/:(streamGenerateContent|generateContent)$/, google],
];

const event = (data: Plain, name?: unknown) =>
  `${typeof name === 'string' ? `event: ${name}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
const TEXT = 'It is 4.';

/** Names of the tools that a request offers, wherever its API puts them. */
function toolsIn({ tools }: Plain): string[] {
  if (!Array.isArray(tools)) return [];
  return (tools as Plain[]).flatMap((tool) => [
    tool.name as string,
    ...((tool.functionDeclarations as Plain[] | undefined) ?? []).map(({ name }) => name as string),
  ]);
}
const holds = (body: Plain, word: string) => JSON.stringify(body).includes(word);

function anthropic({ body, number, usage }: Asked): Answered {
  const model = body.model as string;
  const callsTool = toolsIn(body).includes('Bash') && !holds(body, '"tool_result"');
  const content = callsTool
    ? { type: 'tool_use', id: `toolu_${number}`, name: 'Bash', input: { command: 'echo 4', description: 'Adds' } }
    : { type: 'text', text: TEXT };
  const counts = {
    input_tokens: usage.input_uncached,
    cache_read_input_tokens: usage.cache_read,
    cache_creation_input_tokens: usage.cache_write,
    output_tokens: usage.output,
  };
  const stop = callsTool ? 'tool_use' : 'end_turn';
  const message = { id: `msg_${number}`, type: 'message', role: 'assistant', model, stop_sequence: null };
  if (body.stream !== true)
    return { model, json: { ...message, content: [content], stop_reason: stop, usage: counts } };
  const delta = callsTool
    ? { type: 'input_json_delta', partial_json: JSON.stringify(content.input) }
    : { type: 'text_delta', text: TEXT };
  const start = callsTool ? { ...content, input: {} } : { type: 'text', text: '' };
  const events: Plain[] = [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { ...counts, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: start },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: counts },
    { type: 'message_stop' },
  ];
  return { model, lines: events.map((data) => event(data, data.type)).join('') };
}

function openaiResponses({ body, number, usage }: Asked): Answered {
  const model = body.model as string;
  usage.cache_write = 0;
  const tool = toolsIn(body).find((name) => name === 'exec_command' || name === 'shell_command' || name === 'shell');
  const callsTool = tool !== undefined && !holds(body, 'function_call_output');
  const command =
    tool === 'shell' ? { command: ['echo', '4'] } : tool === 'exec_command' ? { cmd: 'echo 4' } : { command: 'echo 4' };
  const item = callsTool
    ? {
        type: 'function_call',
        id: `fc_${number}`,
        call_id: `call_${number}`,
        name: tool,
        arguments: JSON.stringify(command),
      }
    : { type: 'message', id: `msg_${number}`, role: 'assistant', content: [{ type: 'output_text', text: TEXT }] };
  const input = usage.input_uncached + usage.cache_read;
  const response = {
    id: `resp_${number}`,
    object: 'response',
    model,
    output: [item],
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: usage.cache_read },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 7 },
      total_tokens: input + usage.output,
    },
  };
  const events: Plain[] = [
    { type: 'response.created', response: { id: response.id } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response },
  ];
  return { model, lines: events.map((data) => event(data, data.type)).join('') };
}

function openaiChat({ body, number, usage }: Asked): Answered {
  const model = body.model as string;
  usage.cache_write = 0;
  const input = usage.input_uncached + usage.cache_read;
  const counts = {
    prompt_tokens: input,
    prompt_tokens_details: { cached_tokens: usage.cache_read },
    completion_tokens: usage.output,
    total_tokens: input + usage.output,
  };
  const common = { id: `chatcmpl-${number}`, created: 1_790_000_000, model };
  const message = { role: 'assistant', content: TEXT };
  if (body.stream !== true) {
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return { model, json: { ...common, object: 'chat.completion', choices, usage: counts } };
  }
  const chunk = (choices: Plain[], more: Plain = {}) =>
    event({ ...common, object: 'chat.completion.chunk', choices, ...more });
  const lines = [
    chunk([{ index: 0, delta: message, finish_reason: null }]),
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    chunk([], { usage: counts }),
    'data: [DONE]\n\n',
  ];
  return { model, lines: lines.join('') };
}

function google({ path, body, number, usage }: Asked): Answered {
  const model = /models\/([^:]+):/.exec(path)![1]!;
  usage.cache_write = 0;
  const callsTool = toolsIn(body).includes('list_directory') && !holds(body, 'functionResponse');
  const part = callsTool
    ? { functionCall: { name: 'list_directory', args: { dir_path: '.', path: '.' } } }
    : { text: TEXT };
  const input = usage.input_uncached + usage.cache_read;
  // Thoughts are beside the candidates, and output to us.
  const thoughts = 7;
  const answer = {
    responseId: `resp-${number}`,
    modelVersion: model,
    candidates: [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: input,
      cachedContentTokenCount: usage.cache_read,
      candidatesTokenCount: usage.output - thoughts,
      thoughtsTokenCount: thoughts,
      totalTokenCount: input + usage.output,
    },
  };
  return path.endsWith('streamGenerateContent') ? { model, lines: event(answer) } : { model, json: answer };
}
