import type { SqlEstimate, SqlProgress, SqlResult } from '@lanewatch/query-api/contract';
import { isDear } from './cost.ts';

type Problem = Pick<Extract<SqlProgress, { kind: 'problem' }>, 'detail' | 'errors'>;
type Progress = Extract<SqlProgress, { kind: 'progress' }>;

/** One query at a time, as the page sees it run. */
export class Running {
  isRunning = $state(false);
  progress = $state.raw<Progress | null>(null);
  result = $state.raw<SqlResult | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** What the query before the desk costs, where that is known. */
  cost = $state.raw<SqlEstimate | null>(null);
  /** Whether it waits for somebody to say that it may cost that. */
  isAsking = $state(false);
  #asked = '';
  #cancel: AbortController | null = null;

  /** Begins with what the page was read with. */
  constructor(result: SqlResult | null, problem: Problem | null) {
    this.result = result;
    this.problem = problem;
  }

  /**
   * Runs a query and keeps what came last until something new comes. One that takes long says so and waits to be asked for a second time.
   * @returns whether it ran
   */
  async run(sql: string, parameters: Record<string, string>): Promise<boolean> {
    this.cancel();
    const cancel = (this.#cancel = new AbortController());
    this.isRunning = true;
    this.progress = null;
    this.problem = null;
    const asked = JSON.stringify([sql, parameters]);
    const isAgreed = this.isAsking && this.#asked === asked;
    this.isAsking = false;
    try {
      if (!isAgreed) {
        this.cost = await estimateOf({ sql, parameters }, cancel.signal);
        if (this.cost !== null && isDear(this.cost)) {
          this.#asked = asked;
          this.isAsking = true;
          return false;
        }
      }
      const response = await fetch('/sql/run', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sql, parameters }),
        signal: cancel.signal,
      });
      if (!response.ok || response.body === null) throw new Error(`The answer was ${response.status}.`);
      for await (const said of eventsOf(response.body)) this.#hear(said);
    } catch (error) {
      if (!cancel.signal.aborted) this.problem = { detail: `The query got no answer. ${String(error)}`, errors: [] };
    } finally {
      if (this.#cancel === cancel) this.isRunning = false;
    }
    return true;
  }

  /** Ends what runs because somebody says so, and tells that it did. */
  stop(): void {
    this.cancel();
    this.problem = { detail: 'Cancelled: the engine has stopped reading.', errors: [] };
  }

  /** Ends what runs; the engine stops with it. */
  cancel(): void {
    this.#cancel?.abort();
    this.isRunning = false;
  }

  #hear(said: SqlProgress): void {
    if (said.kind === 'progress') this.progress = said;
    else if (said.kind === 'result') this.result = said;
    else {
      this.problem = said;
      this.result = null;
    }
  }
}

/** What a query costs; null where nobody can tell, so that it is run as it is. */
async function estimateOf(query: object, signal: AbortSignal): Promise<SqlEstimate | null> {
  const response = await fetch('/sql/estimate', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(query),
    signal,
  });
  return response.ok ? ((await response.json()) as SqlEstimate | null) : null;
}

/** The JSON of each server-sent event. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<SqlProgress> {
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split('\n\n');
    rest = events.pop()!;
    for (const event of events) yield JSON.parse(event.replace(/^data: /, '')) as SqlProgress;
  }
}
