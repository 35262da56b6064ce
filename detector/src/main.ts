import { describeConfig, loadConfig } from './config.ts';
import { runDetector } from './run.ts';

const HELP = `lanewatch detector: classifies usage events, keeps the ledger, raises findings.

  node detector/src/main.ts [--check-config | --help]

Environment:
${describeConfig()}
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
} else {
  try {
    const config = loadConfig(process.env);
    if (process.argv.includes('--check-config')) process.stdout.write('The configuration is valid.\n');
    else await runDetector(config);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
    // A half-started detector holds connections that would keep the process alive.
    process.exit();
  }
}
