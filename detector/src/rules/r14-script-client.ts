import { byEvidence } from './by-evidence.ts';
import { parametersOf, type ParameterValues } from './parameters.ts';
import type { Rule } from './rule.ts';

/** R14: a key bound to named agents is used by a plain HTTP client. */
export function scriptClient(overrides?: ParameterValues): Rule {
  const parameters = parametersOf('R14', overrides);
  const scripts = new Set(
    String(parameters['script_clients'])
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );

  return byEvidence({
    id: 'R14',
    parameters,
    judge({ row, credential }) {
      if (credential === null || row.agent === '' || row.outcome === 'denied') return null;
      const { expected_agents } = credential.record;
      if (expected_agents.length === 0 || expected_agents.includes(row.agent)) return null;
      return scripts.has(row.agent.toLowerCase()) ? 'medium' : null;
    },
    testify: ({ row, credential }) => ({
      agent: row.agent,
      expected_agents: credential!.record.expected_agents,
      ...(row.user !== '' && { user: row.user }),
    }),
  });
}
