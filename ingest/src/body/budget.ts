/** A shared allowance of bytes, so that many requests at once cannot take more memory than was given. */
export interface ByteBudget {
  /** Takes bytes, or nothing and false when they are not there. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  readonly bytesMax: number;
  readonly taken: number;
}

export function createByteBudget(bytesMax: number): ByteBudget {
  let taken = 0;
  return {
    bytesMax,
    take(bytes) {
      if (taken + bytes > bytesMax) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
    get taken() {
      return taken;
    },
  };
}
