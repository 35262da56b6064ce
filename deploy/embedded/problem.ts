/** A reason not to start that the person at the terminal can act on: one sentence, shown without a stack. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem';
}

/** What an error says, with a full stop at its end: Node's own messages come without one. */
export function sentenceOf(error: unknown): string {
  return (error as Error).message.replace(/[^.!?]$/, '$&.');
}
