/** Counts by key. Neighbours mostly share theirs, so a run of equal keys is one look-up. */
export class Tally {
  /** Of all keys together. */
  total = 0;
  private readonly counts = new Map<string, number>();
  private key = '';
  private run = 0;

  add(key: string): void {
    this.total++;
    if (key !== this.key) {
      this.endRun();
      this.key = key;
    }
    this.run++;
  }

  /** Every key that was added, and how often. */
  entries(): MapIterator<[string, number]> {
    this.endRun();
    return this.counts.entries();
  }

  private endRun(): void {
    if (this.run > 0) this.counts.set(this.key, (this.counts.get(this.key) ?? 0) + this.run);
    this.run = 0;
  }
}
