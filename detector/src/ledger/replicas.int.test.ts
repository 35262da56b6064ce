import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from './clickhouse.ts';
import { replicaSteps } from './replicas.ts';
import { startTestEngine, type TestEngine } from './testing.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

it('on a cluster every replica learns of a claim before one is resumed from, in statements that the engine understands', async () => {
  const { afterClaim, beforeResume, processes } = replicaSteps('lanewatch', 'main');
  const statements = [...afterClaim, ...beforeResume, `SELECT query_id FROM ${processes}`];
  const client = connect(engine, 60_000);
  try {
    const answer = await client.query({
      query: `SELECT formatQuerySingleLine(arrayJoin({statements:Array(String)}))`,
      query_params: { statements },
      format: 'JSONCompactEachRow',
    });
    const understood = (await answer.json<[string]>()).map(([text]) => text);
    expect(understood.map((text) => /ON CLUSTER main|clusterAllReplicas\('main'/.test(text))).toEqual(
      statements.map(() => true),
    );
    expect(understood.slice(0, 2)).toEqual([
      expect.stringMatching(/^SYSTEM SYNC REPLICA .*claims/),
      expect.stringMatching(/^SYSTEM RELOAD DICTIONARY .*claims_by_partition/),
    ]);
  } finally {
    await client.close();
  }
});
