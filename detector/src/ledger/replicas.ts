import { FINDINGS_TABLE, LEDGER_TABLE } from '../../contract/index.ts';
import { PROGRESS_TABLE } from './resume-point.ts';

/** What a claim has to do besides where the ledger is replicated. */
export interface ReplicaSteps {
  /** Every query that runs anywhere. */
  processes: string;
  /** In order, once the claim is written: from then on no replica takes a row of an earlier claimant. */
  afterClaim: string[];
  /** In order, once older inserts have ended: the resume point may be read on any replica then. */
  beforeResume: string[];
}

/**
 * On one server a reload of the dictionary is the whole fence. Of several replicas each checks rows against its own dictionary, which reads
 * its own copy of the claims; so each first fetches what Keeper knows of the claims and then reloads. An insert that was acknowledged is
 * in Keeper before its answer, so a replica that has caught up with Keeper has every row to resume from, whatever the quorum was.
 * A replica that is down does the same when it comes back, before it serves: statements wait for it in Keeper's queue.
 * @param cluster name in `system.clusters`, '' for a single server
 */
export function replicaSteps(database: string, cluster: string): ReplicaSteps {
  const reload = (where: string) => `SYSTEM RELOAD DICTIONARY${where} ${database}.claims_by_partition`;
  if (cluster === '') return { processes: 'system.processes', afterClaim: [reload('')], beforeResume: [] };
  const everywhere = ` ON CLUSTER '${cluster}'`;
  const catchUp = (table: string) => `SYSTEM SYNC REPLICA${everywhere} ${database}.${table} LIGHTWEIGHT`;
  return {
    processes: `clusterAllReplicas('${cluster}', system.processes)`,
    afterClaim: [catchUp('claims'), reload(everywhere)],
    beforeResume: [LEDGER_TABLE, PROGRESS_TABLE, 'topic_resets', FINDINGS_TABLE].map(catchUp),
  };
}
