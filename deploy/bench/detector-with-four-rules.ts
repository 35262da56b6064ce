import { openBus } from '@lanewatch/ingest/contract';
import { loadConfig } from '../../detector/src/config.ts';
import { openLedger } from '../../detector/src/ledger/open.ts';
import { runDetector } from '../../detector/src/run.ts';

// The same process with the rules that were there first: what is left out is the price of the others.
const ruleIds = ['R01', 'R02', 'R03', 'R05'] as const;
await runDetector(loadConfig(process.env), { openBus, openLedger, detection: true, ruleIds });
