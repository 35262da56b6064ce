/** What the supervisor says to the person at the terminal: one line per finished step, with how long it took. */
export interface Terminal {
  say(text: string): void;
  complain(text: string): void;
  /** Runs a step. Several may run at once; while they do, a terminal shows which. */
  step<Result>(title: string, work: () => Promise<Result>): Promise<Result>;
  /** One line that is rewritten in place, for progress; elsewhere than on a terminal it is said now and then. */
  progress(text: string): void;
  bold(text: string): string;
}

const REDRAW_MS = 250;
/** How often a log that can't rewrite a line hears that something goes on. */
const STILL_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

export function openTerminal(output: NodeJS.WriteStream = process.stdout): Terminal {
  const rich = output.isTTY && process.env['NO_COLOR'] === undefined;
  const running = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let saidAt = performance.now();
  // A terminal that was closed takes no more text, and the one thing to do then is to stop in order.
  for (const stream of [output, process.stderr]) stream.on('error', () => undefined);

  const line = (text: string) => {
    output.write(`${rich ? CLEAR_LINE : ''}${text}\n`);
    if (running.size > 0) redraw();
  };
  const transient = (text: string) => {
    if (rich) {
      output.write(`${CLEAR_LINE}${text.slice(0, (output.columns || 80) - 1)}`);
    } else if (performance.now() - saidAt > STILL_MS) {
      saidAt = performance.now();
      output.write(`${text}\n`);
    }
  };
  const redraw = () => {
    const names = [...running].map(([title, since]) => `${title.split('  ')[0] ?? ''} ${seconds(since)}`);
    if (names.length > 0) transient(`  … ${names.join(' · ')}`);
  };

  return {
    say: line,
    complain(text) {
      if (rich) output.write(CLEAR_LINE);
      process.stderr.write(`${text}\n`);
    },
    bold: (text) => (rich ? `\u001b[1m${text}\u001b[0m` : text),
    progress: transient,
    async step(title, work) {
      const started = performance.now();
      if (running.size === 0) saidAt = started;
      running.set(title, started);
      timer ??= setInterval(redraw, REDRAW_MS);
      const finish = (sign: string) => {
        running.delete(title);
        if (running.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
        line(`  ${sign} ${title.padEnd(44)} ${seconds(started).padStart(7)}`);
      };
      try {
        const result = await work();
        finish('✓');
        return result;
      } catch (error) {
        finish('✗');
        throw error;
      }
    },
  };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
