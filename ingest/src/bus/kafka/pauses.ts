/** Pauses that can be ended early, all of them at once. */
export interface Pauses {
  /** Resolves after this long, or with the next {@link end}. */
  pause(milliseconds: number): Promise<void>;
  end(): void;
  /** How many are under way. */
  readonly count: number;
}

export function createPauses(): Pauses {
  const underWay = new Set<() => void>();
  return {
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          underWay.delete(finish);
          resolve();
        };
        const timer = setTimeout(finish, milliseconds);
        underWay.add(finish);
      }),
    end() {
      for (const finish of [...underWay]) finish();
    },
    get count() {
      return underWay.size;
    },
  };
}
