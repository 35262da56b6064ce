import type { FieldChange } from '../../contract/index.ts';

/** What differs between two states of one thing, as the trail tells it, in the order of the fields. Null is a thing that is not there. Pure. */
export function changesOf<Field extends string>(
  fields: readonly Field[],
  before: Readonly<Record<Field, unknown>> | null,
  after: Readonly<Record<Field, unknown>> | null,
): FieldChange[] {
  return fields.flatMap((field) => {
    const [was, is] = [before?.[field] ?? null, after?.[field] ?? null];
    // A thing that is made with an empty field has nothing there as it had before.
    return JSON.stringify(was ?? '') === JSON.stringify(is ?? '') ? [] : [{ field, before: was, after: is }];
  });
}
