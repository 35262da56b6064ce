/** Why a detector is not ready: what `/readyz` answers. */
export interface Readiness {
  /** Null when it is ready. */
  readonly reason: string | null;
  /** It knows its partitions and has restored them. None is fine: a standby is ready to take over. */
  assigned(): void;
  revoked(): void;
}

export function createReadiness(): Readiness {
  let reason: string | null = 'starting';
  return {
    get reason() {
      return reason;
    },
    assigned() {
      reason = null;
    },
    revoked() {
      reason = 'joining again after its partitions were taken away';
    },
  };
}
