/** What the supervisor says to the person at the terminal: one line per step, with how long it took. */
export interface Terminal {
  say(text: string): void;
  complain(text: string): void;
  /** Shows a step while it runs; the line is completed with its time, or with the word that it failed. */
  step<Result>(title: string, work: () => Promise<Result>): Promise<Result>;
  bold(text: string): string;
}

/** Steps that take longer than this show that they go on, where the terminal can't rewrite a line. */
const STILL_MS = 10_000;

export function openTerminal(output: NodeJS.WriteStream = process.stdout): Terminal {
  const rich = output.isTTY && process.env['NO_COLOR'] === undefined;
  const say = (text: string) => {
    output.write(`${text}\n`);
  };
  return {
    say,
    complain(text) {
      process.stderr.write(`${text}\n`);
    },
    bold: (text) => (rich ? `\u001b[1m${text}\u001b[0m` : text),
    async step(title, work) {
      const started = performance.now();
      const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
      if (rich) output.write(`  ${title} …`);
      const still = setInterval(
        () => {
          if (rich) output.write(`\r  ${title} … ${seconds()}`);
          else say(`  ${title} … still going after ${seconds()}`);
        },
        rich ? 1_000 : STILL_MS,
      );
      try {
        const result = await work();
        output.write(`${rich ? '\r\u001b[K' : ''}  ✓ ${title.padEnd(42)} ${seconds().padStart(7)}\n`);
        return result;
      } catch (error) {
        output.write(`${rich ? '\r\u001b[K' : ''}  ✗ ${title.padEnd(42)} ${seconds().padStart(7)}\n`);
        throw error;
      } finally {
        clearInterval(still);
      }
    },
  };
}
