/** Broken: an insert whose answer was lost is sent again as it is, without a new claim and without asking whether it arrived. */
import { LedgerUnavailableError } from '../../../detector/src/ledger/ledger.ts';
import { pause } from '../until.ts';
import { startMutant } from './start-mutant.ts';

const RETRY_PAUSE_MS = 100;

await startMutant({
  ledger: (ledger) => ({
    ...ledger,
    async insert(block, claimant) {
      for (;;) {
        try {
          await ledger.insert(block, claimant);
          return;
        } catch (error) {
          if (!(error instanceof LedgerUnavailableError)) throw error;
        }
        await pause(RETRY_PAUSE_MS);
      }
    },
  }),
});
