import { parseArgs } from 'node:util';
import { z } from 'zod';

/** A wrong command line; its message says what to write instead. */
export class UsageError extends Error {}

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const optionsSchema = z
  .object({
    seed: whole(0, 2 ** 31).default(1),
    seeds: z
      .string()
      .regex(/^\d+(\.\.\d+|(,\d+)*)$/, 'must be such as 1..5 or 1,7,9')
      .optional(),
    days: whole(1, 366).optional(),
    'learn-days': whole(1, 366).default(10),
    people: whole(60, 100_000).default(140),
    out: z.string().optional(),
    events: z.string().optional(),
    labels: z.string().optional(),
    from: z.iso.datetime({ offset: true }).optional(),
    false: z.boolean().default(false),
  })
  .transform(({ seed, seeds, days, people, out, events, labels, from, ...rest }) => ({
    seeds: seeds === undefined ? [seed] : seedsOf(seeds),
    learnDays: rest['learn-days'],
    showFalse: rest.false,
    ...{ days, people, out, events, labels, from },
  }));

export type SimOptions = z.infer<typeof optionsSchema>;

export interface SimCommand {
  command: 'write' | 'score';
  options: SimOptions;
}

/**
 * Reads the command line.
 * @throws UsageError naming every option at fault
 */
export function readArguments(argv: string[]): SimCommand {
  const text = { type: 'string' } as const;
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        ...{ seed: text, seeds: text, days: text, 'learn-days': text, people: text },
        ...{ out: text, events: text, labels: text, from: text, false: { type: 'boolean' } },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const [first, ...others] = parsed.positionals;
  if (others.length > 0 || (first !== undefined && first !== 'score'))
    throw new UsageError(`There is no command "${parsed.positionals.join(' ')}": only score, or none to write files.`);
  const options = optionsSchema.safeParse(parsed.values);
  if (!options.success)
    throw new UsageError(options.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'));
  if ((options.data.events === undefined) !== (options.data.labels === undefined))
    throw new UsageError('--events and --labels belong together');
  return { command: first === 'score' ? 'score' : 'write', options: options.data };
}

function seedsOf(text: string): number[] {
  const [from, to] = text.split('..').map(Number);
  if (to === undefined) return text.split(',').map(Number);
  return Array.from({ length: Math.max(0, to - from! + 1) }, (_unused, index) => from! + index);
}
