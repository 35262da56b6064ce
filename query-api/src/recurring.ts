const EVERY_MS = 5_000;
const RETRY_MS = 1_000;

/** Work that is done again and again, one run at a time. */
export interface Recurring {
  /** Runs it now; while it runs, once more when that has ended. */
  wake(): void;
  /** Ends it, with the run that is under way. */
  close(): Promise<void>;
}

/**
 * Does work at once and again every five seconds, a second after it failed.
 * @param onFault told why it failed, but for what fails while it is closed
 */
export function recurring(work: () => Promise<void>, onFault: (error: unknown) => void): Recurring {
  let isClosed = false;
  let isWoken = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;

  function run(): void {
    isWoken = running !== null;
    if (isClosed || running !== null) return;
    clearTimeout(timer);
    running = work()
      .then(
        () => EVERY_MS,
        (error: unknown) => {
          if (!isClosed) onFault(error);
          return RETRY_MS;
        },
      )
      .then((waitMs) => {
        running = null;
        if (!isClosed) timer = setTimeout(run, isWoken ? 0 : waitMs);
      });
  }
  run();

  return {
    wake: run,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
