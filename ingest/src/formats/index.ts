import { bedrockMapper } from './aws/bedrock.ts';
import { cloudTrailMapper } from './aws/cloudtrail.ts';
import { claudeCodeMapper } from './claude-code/claude-code.ts';
import { codexMapper } from './codex/codex.ts';
import { envoyFormat, envoyMapper } from './envoy/envoy.ts';
import { eventsFormat } from './events/events.ts';
import type { HttpFormat } from './format.ts';
import { geminiCliMapper } from './gemini-cli/gemini-cli.ts';
import { genaiLogMapper, genaiSpanMapper } from './genai/genai.ts';
import { gcpAuditMapper } from './gcp-audit/gcp-audit.ts';
import { heliconeFormat, heliconeMapper } from './helicone/helicone.ts';
import { kongFormat, kongMapper } from './kong/kong.ts';
import { langfuseFormat } from './langfuse/langfuse.ts';
import { litellmFormat } from './litellm/litellm.ts';
import { nginxFormat, nginxMapper } from './nginx/nginx.ts';
import { openmeterFormat } from './openmeter/openmeter.ts';
import { otlpLogsFormat, otlpMetricsFormat } from './otlp/otlp.ts';
import { otlpTracesFormat } from './otlp/traces.ts';
import type { LogRecordMapper } from './otlp/log-record.ts';
import { portkeyFormat, portkeyMapper } from './portkey/portkey.ts';
import type { RecordMapper } from './record.ts';
import { shippersFormat } from './shippers/shippers.ts';

/** Clients whose OTLP log records become events, in the order in which they are asked. One line each. */
const LOG_RECORD_MAPPERS: readonly LogRecordMapper[] = [claudeCodeMapper, codexMapper, geminiCliMapper, genaiLogMapper];

/** Programs whose records a log shipper may bring, in the order in which they are asked. One line each. */
const RECORD_MAPPERS: readonly RecordMapper[] = [
  kongMapper,
  envoyMapper,
  nginxMapper,
  heliconeMapper,
  portkeyMapper,
  bedrockMapper,
  cloudTrailMapper,
  gcpAuditMapper,
];

/** Everything that ingest takes, one route each. One line each. */
export const FORMATS: readonly HttpFormat[] = [
  eventsFormat,
  otlpLogsFormat(LOG_RECORD_MAPPERS),
  otlpMetricsFormat,
  otlpTracesFormat(genaiSpanMapper),
  litellmFormat,
  kongFormat,
  envoyFormat,
  nginxFormat,
  shippersFormat(RECORD_MAPPERS),
  heliconeFormat,
  portkeyFormat,
  langfuseFormat,
  openmeterFormat,
];
