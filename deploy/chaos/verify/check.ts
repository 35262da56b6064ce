/** What must hold after the faults. The name says the guarantee; a mutant is caught when one of them fails. */
export interface CheckResult {
  name: string;
  ok: boolean;
  /** What was compared, with its numbers. */
  detail: string;
  /** The first few offenders. */
  examples: string[];
}

const EXAMPLES_MAX = 5;

/** Collects offenders of one guarantee; only the first few are kept. */
export interface Check {
  fail(example: string): void;
  readonly failures: number;
  result(detail: string): CheckResult;
}

export function createCheck(name: string): Check {
  const examples: string[] = [];
  let failures = 0;
  return {
    fail(example) {
      failures++;
      if (examples.length < EXAMPLES_MAX) examples.push(example);
    },
    get failures() {
      return failures;
    },
    result: (detail) => ({
      name,
      ok: failures === 0,
      detail: failures === 0 ? detail : `${failures} wrong; ${detail}`,
      examples,
    }),
  };
}
