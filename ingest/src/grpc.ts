import type { IncomingHttpHeaders } from 'node:http';
import {
  type handleUnaryCall,
  Metadata,
  ResponderBuilder,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { answerOf } from './answers.ts';
import { canonicalAddress } from './normalise/canonical/address.ts';
import { authenticate } from './auth/authenticate.ts';
import { decodedBytesOfProtobuf } from './body/decoded-size.ts';
import type { HttpFormat } from './formats/format.ts';
import { FORMATS } from './formats/index.ts';
import { withoutSecrets } from './normalise/normalise.ts';
import { ApiProblem, PROBLEMS } from './problem.ts';
import type { ServerOptions } from './server.ts';
import { take } from './take.ts';

/** The services of OTLP/gRPC and the HTTP formats that read the same messages. */
const SERVICES = {
  'opentelemetry.proto.collector.logs.v1.LogsService': 'otlp_logs',
  'opentelemetry.proto.collector.metrics.v1.MetricsService': 'otlp_metrics',
  'opentelemetry.proto.collector.trace.v1.TraceService': 'otlp_traces',
} as const;

/** How long a stop waits for exports under way. */
const SHUTDOWN_MS = 10_000;
const MEDIA_TYPE = 'application/x-protobuf';

export interface GrpcServer {
  /**
   * Listens without TLS, as the HTTP port does.
   * @returns the port
   * @throws Error when the address cannot be had
   */
  listen(host: string, port: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * OTLP over gRPC: the same keys, the same mappers, the same durability before the answer as `POST /v1/logs` and its siblings. A refusal has the status code
 * that the OTLP specification gives it. Keys stand in the metadata and are looked up before a message is read.
 */
export function createGrpcServer(options: ServerOptions): GrpcServer {
  const server = new Server({
    'grpc.max_receive_message_length': options.limits.bodyBytesMax,
    interceptors: [refusingStrangers(options)],
  });
  for (const [service, answer] of Object.entries(SERVICES)) {
    const format = FORMATS.find((candidate) => candidate.answer === answer)!;
    server.addService(exportDefinition(service), {
      export: exporting(format, options),
    } as UntypedServiceImplementation);
  }
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
          error === null ? resolve(bound) : reject(error),
        );
      }),
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), SHUTDOWN_MS);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

/** Messages pass as bytes: the formats decode them, by the same reader that counts what it decodes. */
const exportDefinition = (service: string): ServiceDefinition => ({
  export: {
    path: `/${service}/Export`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
});

const collectorOf = (options: ServerOptions, metadata: Metadata, peer: string) => {
  const notReady = options.notReadyReason();
  if (notReady !== null) throw new ApiProblem('unavailable', notReady);
  const headers: IncomingHttpHeaders = {};
  for (const name of ['authorization', 'x-api-key']) {
    const value = metadata.get(name)[0];
    if (typeof value === 'string') headers[name] = value;
  }
  return authenticate(options.credentials, headers, canonicalAddress(peer), options.now());
};

/** Ends a call without a valid key before its message is received. */
const refusingStrangers =
  (options: ServerOptions): ServerInterceptor =>
  (_method, call) => {
    const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, next) => {
      try {
        collectorOf(options, metadata, call.getPeer());
      } catch (error) {
        call.sendStatus(statusOf(error, options));
        return;
      }
      next(metadata);
    });
    const responder = new ResponderBuilder().withStart((next) => next(listener.build()));
    return new ServerInterceptingCall(call, responder.build());
  };

const exporting =
  (format: HttpFormat, options: ServerOptions): handleUnaryCall<Buffer, Buffer> =>
  (call, callback) => {
    const stopTimer = options.metrics.requestSeconds.startTimer({ format: format.name });
    taken(format, call.request, call.metadata, call.getPeer(), options)
      .then(
        (answer) => callback(null, answer),
        (error: unknown) => callback(statusOf(error, options)),
      )
      .finally(stopTimer);
  };

async function taken(
  format: HttpFormat,
  body: Buffer,
  metadata: Metadata,
  peer: string,
  options: ServerOptions,
): Promise<Buffer> {
  const { id } = collectorOf(options, metadata, peer);
  const bytes = Math.min(body.length + decodedBytesOfProtobuf(body), options.budget.bytesMax);
  if (!options.budget.take(bytes)) {
    throw new ApiProblem('busy', 'Too many bytes are being received at once. Try again in a moment.');
  }
  try {
    const receivedAt = options.now();
    const context = { mediaType: MEDIA_TYPE, headers: {}, clientAddress: canonicalAddress(peer), receivedAt };
    return answerOf(format, await take(format, body, context, id, options), MEDIA_TYPE).body as Buffer;
  } finally {
    options.budget.give(bytes);
  }
}

/** The gRPC status of a refusal; its codes are those of google.rpc, as in the bodies of OTLP/HTTP. */
function statusOf(error: unknown, options: ServerOptions): { code: number; details: string; metadata: Metadata } {
  const problem = error instanceof ApiProblem ? error : new ApiProblem('internal', 'Ingest failed. Send again.');
  options.metrics.refusals.inc({ code: problem.code });
  if (problem.code === 'internal') {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    options.log.error({ code: problem.code, error: withoutSecrets(cause.slice(0, 4_000)) }, 'an export failed');
  }
  return { code: PROBLEMS[problem.code].rpcCode, details: problem.detail, metadata: new Metadata() };
}
