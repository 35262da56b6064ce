import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { authenticate, refuseEscapes, sessionStatements } from './access.ts';
import type { User } from './access.ts';
import { sendBuffer, sendStream } from './answer.ts';
import type { AnswerContext, StreamEnd } from './answer.ts';
import { createBody, STATEMENT_BYTES_MAX } from './body.ts';
import type { Spool, SpooledFile } from './body.ts';
import type { Config } from './config.ts';
import type { Analysis, Engine, Session } from './engine.ts';
import { fromEngine, raise, withoutPath } from './errors.ts';
import { DEFAULT_FORMAT } from './formats.ts';
import { readableIn } from './native-version.ts';
import { readForm } from './request.ts';
import type { QueryRequest } from './request.ts';
import type { ResultPipes } from './results.ts';
import type { Slots } from './slots.ts';
import { quoteString, readStatement, type InsertStatement, type OtherStatement } from './statement.ts';

export type ExecuteContext = {
  config: Config;
  engine: Engine;
  slots: Slots;
  spool: Spool;
  pipes: ResultPipes;
  /** Ids of the queries that run or wait, and how to stop each. */
  running: Map<string, () => void>;
};

/** Between two attempts to stop a query: one that has not started yet cannot be stopped, so the first may miss it. */
const STOP_INTERVAL_MS = 200;
/** A statement with what was read of its data. Texts are Latin-1 here, one character per byte: data need not be UTF-8. */
type Loaded =
  | { kind: 'data'; statement: InsertStatement; first: Buffer }
  | { kind: 'text'; statement: OtherStatement; sql: string };

/**
 * Runs one request to its end, answer included. Throws an EngineError when nothing has been answered yet.
 * `gone` fires when the client's connection closes early.
 */
export async function execute(
  context: ExecuteContext,
  request: QueryRequest,
  stream: AsyncIterable<Buffer>,
  contentType: string,
  answer: AnswerContext,
  gone: AbortSignal,
): Promise<void> {
  const { config, running } = context;
  const user = authenticate(config, request.user, request.password);
  if (running.has(request.queryId)) {
    const text = `Query with id = ${request.queryId} is already running.`;
    throw raise('QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', text);
  }
  // A client that goes away stops what only it wanted to read, and what has not begun. A change that runs goes on, as
  // on a server; only the end of this process stops that too.
  const stop = new AbortController();
  const shutdown = new AbortController();
  const onGone = (): void => {
    stop.abort();
  };
  running.set(request.queryId, () => {
    shutdown.abort();
    stop.abort();
  });
  gone.addEventListener('abort', onGone, { once: true });
  try {
    const body = createBody(stream);
    if (contentType.startsWith('multipart/form-data')) {
      const { data, ended } = await body.read(config.bodyBytesMax);
      if (!ended) throw raise('TOO_MANY_BYTES', 'The multipart body is too large.', 413);
      await readForm(request, contentType, data);
    }
    const loaded = await load(request.query, body);
    let file: SpooledFile | undefined;
    if (loaded.kind === 'data') {
      if (user === 'analyst' || request.readOnlyMethod) throw readonlyProblem(request);
      file = await context.spool.store(body.rest(), loaded.first);
    }
    try {
      const slot = await context.slots.acquire(user === 'analyst', stop.signal);
      try {
        await run(context, request, user, loaded, file, slot.index, answer, stop, shutdown.signal);
      } finally {
        slot.release();
      }
    } finally {
      file?.remove();
    }
  } finally {
    running.delete(request.queryId);
    gone.removeEventListener('abort', onGone);
  }
}

/** Puts the statement together from URL and body, as ClickHouse does: the URL's part comes first. */
async function load(query: string, body: ReturnType<typeof createBody>): Promise<Loaded> {
  const head = Buffer.from(query).toString('latin1');
  if (head.trim() !== '') {
    const statement = readStatement(head);
    if (statement.kind === 'insert-data') {
      return { kind: 'data', statement, first: Buffer.from(head.slice(statement.dataStart), 'latin1') };
    }
  }
  const { data, ended } = await body.read(STATEMENT_BYTES_MAX);
  const rest = data.toString('latin1');
  const sql = head === '' ? rest : rest === '' ? head : `${head}\n${rest}`;
  const statement = readStatement(sql);
  if (statement.kind === 'insert-data') {
    return { kind: 'data', statement, first: Buffer.from(sql.slice(statement.dataStart), 'latin1') };
  }
  if (!ended) throw raise('SYNTAX_ERROR', `Max query size exceeded: ${String(STATEMENT_BYTES_MAX)} bytes.`);
  return { kind: 'text', statement, sql };
}

function readonlyProblem(request: QueryRequest): Error {
  const hint = request.readOnlyMethod ? ' For queries over HTTP, method GET implies readonly: use POST.' : '';
  return raise('READONLY', `${request.user}: Cannot execute query in readonly mode.${hint}`);
}

async function run(
  context: ExecuteContext,
  request: QueryRequest,
  user: User,
  loaded: Loaded,
  file: SpooledFile | undefined,
  place: number,
  answer: AnswerContext,
  stop: AbortController,
  shutdown: AbortSignal,
): Promise<void> {
  if (stop.signal.aborted) throw raise('ABORTED', 'The client went away before the query could start.');
  const { config, engine } = context;
  const session = engine.openSession();
  // The engine gives no way to choose a query's id, so the mark to stop it by travels in a setting that only describes.
  // The random end makes it unlike any that another caller could choose.
  const mark = `${request.settings.get('log_comment') ?? ''}[query_id ${request.queryId} ${randomUUID()}]`;
  try {
    const settings = new Map(request.settings).set('log_comment', mark);
    const prepare = sessionStatements(
      {
        user,
        database: request.database ?? config.database,
        settings,
        parameters: request.parameters,
        roles: request.roles,
        readOnlyMethod: request.readOnlyMethod,
        inSession: request.inSession,
      },
      config.analyst,
    );
    const ending = loaded.kind === 'text' ? await check(session, loaded, user, request) : 'writes';
    await session.query(prepare, 'Null');
    const finished = stopOnSignal(engine, mark, ending === 'reads' ? stop.signal : shutdown);
    try {
      if (loaded.kind === 'data') await insert(session, loaded.statement, file!, answer);
      else if (ending === 'reads') {
        const bytesMax = user === 'analyst' ? config.analyst.resultBytesMax : Infinity;
        await read(context, session, loaded, request, place, answer, bytesMax, () => stop.abort());
      } else await change(session, loaded, request, answer);
    } finally {
      finished();
    }
  } finally {
    session.close();
  }
}

/**
 * Decides by the engine's own parser whether a text may run, and how. Throws for more than one statement, for what only
 * a client with files can do, and for everything the read-only user may not do.
 */
async function check(
  session: Session,
  loaded: Extract<Loaded, { kind: 'text' }>,
  user: User,
  request: QueryRequest,
): Promise<'reads' | 'writes'> {
  const sql = utf8(loaded.sql);
  const analysis: Analysis = await session.analyze(sql);
  let printed: string | undefined;
  if (analysis.statements !== 1 || analysis.class === 'unknown' || user === 'analyst') {
    // Throws the syntax error, in the engine's words; nothing of the text is executed.
    printed = (await session.query(`SELECT formatQuerySingleLine(${quoteString(sql)})`, 'TSVRaw')).output.toString();
  }
  if (analysis.statements > 1) throw raise('SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed).');
  if (loaded.statement.writesClientFile) throw raise('INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed.');
  const reads = analysis.class === 'reads';
  if (!reads && (user === 'analyst' || request.readOnlyMethod)) throw readonlyProblem(request);
  if (loaded.statement.readsClientFile) {
    throw raise('UNKNOWN_TYPE_OF_QUERY', 'FROM INFILE is for clients with files; send the data in the body.');
  }
  if (loaded.statement.readsInput && loaded.statement.isInsert) {
    throw raise(
      'NOT_IMPLEMENTED',
      'INSERT from input() is not supported by the embedded ClickHouse: use INSERT … FORMAT.',
    );
  }
  if (user === 'analyst') refuseEscapes(printed!);
  return reads ? 'reads' : 'writes';
}

async function insert(
  session: Session,
  statement: InsertStatement,
  file: SpooledFile,
  answer: AnswerContext,
): Promise<void> {
  const sql = `${utf8(statement.head)} FROM INFILE ${quoteString(file.path)} ${utf8(statement.settings)} FORMAT ${statement.format}`;
  const analysis = await session.analyze(sql).catch(() => undefined);
  if (analysis !== undefined && analysis.statements !== 1) {
    await session.query(
      `SELECT formatQuerySingleLine(${quoteString(`${utf8(statement.head)} ${utf8(statement.settings)} FORMAT ${statement.format}`)})`,
      'Null',
    );
    throw raise('SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed).');
  }
  try {
    const written = await session.write(sql);
    sendBuffer(answer, DEFAULT_FORMAT, Buffer.alloc(0), {
      readRows: written.rows,
      readBytes: written.bytes,
      writtenRows: written.rows,
      writtenBytes: written.bytes,
      resultRows: written.rows,
      resultBytes: written.bytes,
    });
  } catch (error) {
    throw withoutPath(fromEngine(error), file.path);
  }
}

/** A statement that changes something: its output, if any, is small. */
async function change(
  session: Session,
  loaded: Extract<Loaded, { kind: 'text' }>,
  request: QueryRequest,
  answer: AnswerContext,
): Promise<void> {
  const sql = utf8(loaded.sql);
  const format = loaded.statement.format ?? request.defaultFormat ?? DEFAULT_FORMAT;
  if (loaded.statement.isInsert) {
    const { rows, bytes } = await session.write(sql);
    sendBuffer(answer, format, Buffer.alloc(0), {
      writtenRows: rows,
      writtenBytes: bytes,
      resultRows: rows,
      resultBytes: bytes,
    });
    return;
  }
  const { output, rows, bytes } = await session.query(sql, format);
  sendBuffer(answer, format, output, { resultRows: rows, resultBytes: bytes });
}

async function read(
  context: ExecuteContext,
  session: Session,
  loaded: Extract<Loaded, { kind: 'text' }>,
  request: QueryRequest,
  place: number,
  answer: AnswerContext,
  bytesMax: number,
  stop: () => void,
): Promise<void> {
  const format = loaded.statement.format ?? request.defaultFormat ?? DEFAULT_FORMAT;
  const pipe = context.pipes.open(place);
  const at = loaded.statement.outfileAt;
  const sql = utf8(
    `${loaded.sql.slice(0, at)} INTO OUTFILE ${quoteString(pipe.path)} TRUNCATE ${loaded.sql.slice(at)}`,
  );
  const analysis = await session.analyze(sql);
  // The engine's parser must see the same statement with a file to write to; if not, the text is one we misread.
  const streamable = analysis.statements === 1 && analysis.class === 'controls';
  const ended: Promise<StreamEnd> = (async () => {
    try {
      const { output, rows, bytes } = await session.query(streamable ? sql : utf8(loaded.sql), format);
      if (!streamable) sendBuffer(answer, format, output, { resultRows: rows, resultBytes: bytes });
      return { summary: { readRows: rows, readBytes: bytes, resultRows: rows, resultBytes: bytes } };
    } catch (error) {
      return { error: withoutPath(fromEngine(error), pipe.path), summary: {} };
    } finally {
      pipe.finish();
    }
  })();
  try {
    if (streamable) {
      const rows = readableIn(request.protocolVersion, format, pipe.stream);
      await sendStream(answer, { ...request, bytesMax, onTooLong: stop }, format, rows, ended);
    } else {
      pipe.stream.resume();
      const { error } = await ended;
      if (error !== undefined) throw error;
    }
  } finally {
    // A connection must not be closed while the engine works on it, and the engine waits for a reader.
    pipe.stream.resume();
    await ended;
  }
}

/** Stops the query when the signal fires, again and again until `finished` is called. */
function stopOnSignal(engine: Engine, mark: string, signal: AbortSignal): () => void {
  let over = false;
  const repeat = async (): Promise<void> => {
    while (!over) {
      await engine.stop(mark).catch(() => undefined);
      await delay(STOP_INTERVAL_MS, undefined, { ref: false });
    }
  };
  const onAbort = (): void => void repeat();
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    over = true;
    signal.removeEventListener('abort', onAbort);
  };
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
