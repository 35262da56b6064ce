/** The bus will never take this record (too large, or no key on a compacted topic); sending it again changes nothing. */
export class RecordRefusedError extends Error {
  readonly canRetry = false;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'RecordRefusedError';
  }
}
