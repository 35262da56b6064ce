/** Why a detector is not ready: what `/readyz` answers. */
export interface Readiness {
  /** Null when it is ready. */
  readonly reason: string | null;
  /** Whether it does something that takes its time, and needs nothing else than that. */
  readonly isAtWork: boolean;
  restoring(): void;
  /** It knows its partitions and has restored them. None is fine: a standby is ready to take over. */
  assigned(): void;
  revoked(): void;
}

const RESTORING = 'reading its lanes back from the ledger';

export function createReadiness(): Readiness {
  let reason: string | null = 'starting';
  return {
    get reason() {
      return reason;
    },
    get isAtWork() {
      return reason === RESTORING;
    },
    restoring() {
      reason = RESTORING;
    },
    assigned() {
      reason = null;
    },
    revoked() {
      reason = 'joining again after its partitions were taken away';
    },
  };
}
