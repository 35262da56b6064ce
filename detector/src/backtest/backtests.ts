import { Worker } from 'node:worker_threads';
import {
  BACKTEST_PATIENCE_MS,
  backtestRequestSchema,
  type BacktestRequest,
  type BacktestResult,
  type BacktestState,
} from '../../contract/index.ts';
import type { BacktestNews, BacktestTask } from './worker.ts';

/** The state of a backtest, as it is written. */
export interface BacktestProgress {
  request: BacktestRequest;
  state: BacktestState;
  rowsDone: number;
  rowsTotal: number;
  result: BacktestResult | null;
  problem: string;
  startedMs: number;
}

export interface BacktestsOptions {
  /** Starts the work and tells how it goes; the function that it answers ends it. */
  start(request: BacktestRequest, onNews: (news: BacktestNews) => void): () => Promise<unknown>;
  write(progress: BacktestProgress): Promise<void>;
  /** Whether another detector, or this one before a restart, has finished it. */
  isOver(id: string): Promise<boolean>;
  /** Whether it is this detector's turn: that which holds the first partition. */
  isOurs(): boolean;
  now(): number;
  onFault(error: unknown): void;
}

export interface Backtests {
  /** Takes a request off the topic. */
  take(value: Uint8Array): void;
  /** Takes up what waits, if nothing runs. Called again and again, because whose turn it is changes. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

const WAITING_MAX = 20;
/** Progress is written this often at most. */
const WRITE_EVERY_MS = 500;

/** Runs backtests one after the other, oldest first. */
export function createBacktests(options: BacktestsOptions): Backtests {
  const { now } = options;
  const waiting = new Map<string, BacktestRequest>();
  let running: { id: string; cancel(): void; over: Promise<void> } | null = null;
  let isBusy = false;

  function take(value: Uint8Array): void {
    let request: BacktestRequest;
    try {
      request = backtestRequestSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')));
    } catch (error) {
      return options.onFault(error);
    }
    if (request.cancelled) {
      waiting.delete(request.id);
      if (running?.id === request.id) running.cancel();
      return;
    }
    if (now() - Date.parse(request.requested_at) > BACKTEST_PATIENCE_MS || waiting.size >= WAITING_MAX) return;
    waiting.set(request.id, request);
  }

  function run(request: BacktestRequest): { id: string; cancel(): void; over: Promise<void> } {
    const progress: BacktestProgress = {
      ...{ request, state: 'running', rowsDone: 0, rowsTotal: 0, result: null, problem: '', startedMs: now() },
    };
    let writtenMs = -Infinity;
    let writing = Promise.resolve();
    let settle: () => void;
    const ended = new Promise<void>((resolve) => (settle = resolve));
    const write = () => {
      writtenMs = now();
      const state = { ...progress };
      writing = writing.then(() => options.write(state)).catch(options.onFault);
    };
    const end = (state: BacktestState, rest: Partial<BacktestProgress> = {}) => {
      if (progress.state !== 'running') return;
      Object.assign(progress, { state, ...rest });
      write();
      settle();
    };
    const stop = options.start(request, (news) => {
      if (news.kind === 'done') end('done', { result: news.result });
      else if (news.kind === 'failed') end('failed', { problem: news.problem });
      else if (progress.state === 'running') {
        progress.rowsDone = news.rowsDone;
        progress.rowsTotal = news.rowsTotal;
        if (now() - writtenMs >= WRITE_EVERY_MS) write();
      }
    });
    const over = ended.then(async () => {
      await stop();
      await writing;
    });
    return { id: request.id, cancel: () => end('cancelled'), over };
  }

  return {
    take,
    async tick() {
      if (isBusy || running !== null || waiting.size === 0 || !options.isOurs()) return;
      isBusy = true;
      const [request] = waiting.values();
      try {
        waiting.delete(request!.id);
        if (now() - Date.parse(request!.requested_at) > BACKTEST_PATIENCE_MS || (await options.isOver(request!.id)))
          return;
        running = run(request!);
        void running.over.finally(() => (running = null));
      } catch (error) {
        waiting.set(request!.id, request!);
        options.onFault(error);
      } finally {
        isBusy = false;
      }
    },
    async close() {
      waiting.clear();
      running?.cancel();
      await running?.over;
    },
  };
}

/** Starts a backtest in a thread of its own. */
export function startWorker(task: BacktestTask, onNews: (news: BacktestNews) => void): () => Promise<unknown> {
  // Without what the process was started with: a launcher's module that watches over the process would run in the thread, too.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: task, execArgv: [] });
  worker.on('message', onNews);
  worker.on('error', (error: unknown) =>
    onNews({ kind: 'failed', problem: error instanceof Error ? error.message : String(error) }),
  );
  worker.on('exit', () => onNews({ kind: 'failed', problem: 'its thread ended' }));
  return () => worker.terminate();
}
