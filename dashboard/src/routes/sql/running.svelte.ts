import type { SqlProgress, SqlResult } from '@lanewatch/query-api/contract';

type Problem = Pick<Extract<SqlProgress, { kind: 'problem' }>, 'detail' | 'errors'>;
type Progress = Extract<SqlProgress, { kind: 'progress' }>;

/** One query at a time, as the page sees it run. */
export class Running {
  isRunning = $state(false);
  progress = $state.raw<Progress | null>(null);
  result = $state.raw<SqlResult | null>(null);
  problem = $state.raw<Problem | null>(null);
  #cancel: AbortController | null = null;

  /** Begins with what the page was read with. */
  constructor(result: SqlResult | null, problem: Problem | null) {
    this.result = result;
    this.problem = problem;
  }

  /** Runs a query and keeps what came last until something new comes. */
  async run(sql: string, parameters: Record<string, string>): Promise<void> {
    this.cancel();
    const cancel = (this.#cancel = new AbortController());
    this.isRunning = true;
    this.progress = null;
    this.problem = null;
    try {
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
