/** The steps of a chart: where each begins, and how long one is. */
export interface Steps {
  step_seconds: number;
  starts: readonly string[];
}

/**
 * Columns as uPlot takes them: epoch seconds, then sums of all columns, of all but the last, and so on down to the first alone. Drawn in
 * this order over each other, they stand as one pile.
 */
export function piledOf(steps: Steps, columns: readonly (readonly number[])[]): [number[], ...number[][]] {
  const sums = columns.map((_, last) =>
    steps.starts.map((_start, step) => columns.slice(0, last + 1).reduce((sum, one) => sum + (one[step] ?? 0), 0)),
  );
  return [steps.starts.map((start) => Date.parse(start) / 1000), ...sums.reverse()];
}

/**
 * The bounds of the steps that a drag touched.
 * @param fromS where it began and ended, epoch seconds, in any order
 * @returns instants, the second exclusive; null for a drag beyond the chart
 */
export function touchedOf(steps: Steps, fromS: number, toS: number): { from: string; to: string } | null {
  const stepS = steps.step_seconds;
  // A bar stands in the middle of its step's start, half a step to each side.
  const [low, high] = [Math.min(fromS, toS), Math.max(fromS, toS)].map((at) => at + stepS / 2) as [number, number];
  const touched = steps.starts
    .map((start) => Date.parse(start))
    .filter((start) => start / 1000 + stepS > low && start / 1000 <= high);
  const [first, last] = [touched[0], touched.at(-1)];
  if (first === undefined || last === undefined) return null;
  return boundsOfStep(steps, first, last);
}

/** From the start of a step to the end of another: that is where the clock's next step begins, also of a first one cut short. */
export function boundsOfStep(
  { step_seconds }: Pick<Steps, 'step_seconds'>,
  firstMs: number,
  lastMs = firstMs,
): { from: string; to: string } {
  const stepMs = step_seconds * 1000;
  const endMs = (Math.floor(lastMs / stepMs) + 1) * stepMs;
  return { from: new Date(firstMs).toISOString(), to: new Date(endMs).toISOString() };
}
