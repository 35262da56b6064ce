import { claudeCodeMapper } from './claude-code/claude-code.ts';
import { codexMapper } from './codex/codex.ts';
import { eventsFormat } from './events/events.ts';
import type { HttpFormat } from './format.ts';
import { geminiCliMapper } from './gemini-cli/gemini-cli.ts';
import { genaiLogMapper, genaiSpanMapper } from './genai/genai.ts';
import { litellmFormat } from './litellm/litellm.ts';
import { otlpLogsFormat, otlpMetricsFormat } from './otlp/otlp.ts';
import { otlpTracesFormat } from './otlp/traces.ts';
import type { LogRecordMapper } from './otlp/log-record.ts';

/** Clients whose OTLP log records become events, in the order in which they are asked. One line each. */
const LOG_RECORD_MAPPERS: readonly LogRecordMapper[] = [claudeCodeMapper, codexMapper, geminiCliMapper, genaiLogMapper];

/** Everything that ingest takes, one route each. One line each. */
export const FORMATS: readonly HttpFormat[] = [
  eventsFormat,
  otlpLogsFormat(LOG_RECORD_MAPPERS),
  otlpMetricsFormat,
  otlpTracesFormat(genaiSpanMapper),
  litellmFormat,
];
