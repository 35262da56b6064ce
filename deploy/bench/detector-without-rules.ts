import { openBus } from '@lanewatch/ingest/contract';
import { loadConfig } from '../../detector/src/config.ts';
import { openLedger } from '../../detector/src/ledger/open.ts';
import { runDetector } from '../../detector/src/run.ts';

// The same process without lane state and rules: what is left is the price of delivery alone.
await runDetector(loadConfig(process.env), { openBus, openLedger, detection: false });
