import { error, fail } from '@sveltejs/kit';
import {
  POLICY_FACTS,
  POLICY_IDS,
  POLICY_MODES,
  type PolicyId,
  type PolicySettings,
} from '@lanewatch/query-api/contract/policy-facts';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

function policyIn(params: { id: string }): PolicyId {
  return POLICY_IDS.find((id) => id === params.id) ?? error(404, 'There is no such policy.');
}

export const load: PageServerLoad = async ({ params, locals: { api } }) => {
  const id = policyIn(params);
  const [policy, projects] = await Promise.all([api.policy(id), api.directory('project')]);
  return { policy, projects: projects.items.map(({ name }) => name) };
};

function settingsIn(id: PolicyId, form: FormData): PolicySettings {
  return Object.fromEntries(
    POLICY_FACTS[id].fields.map(({ name, kind }) => {
      if (kind === 'choices') return [name, form.getAll(name).map(String)];
      const text = String(form.get(name) ?? '');
      if (kind === 'severity') return [name, text];
      if (kind === 'days') return [name, Number(text)];
      return [
        name,
        text
          .split(/[\s,;]+/)
          .filter(Boolean)
          .map(Number),
      ];
    }),
  );
}

export const actions: Actions = {
  set: async ({ request, params, locals }) => {
    const id = policyIn(params);
    const form = await request.formData();
    const mode = [...POLICY_MODES, 'inherit' as const].find((one) => one === form.get('mode')) ?? 'off';
    const outcome = await locals.api.setPolicy(id, {
      project: String(form.get('project') ?? ''),
      mode,
      settings: settingsIn(id, form),
      version: Number(form.get('version') ?? 0),
    });
    return outcome.ok ? { part: 'set' as const, done: 'The policy is set.' } : refused('set', outcome.problem);
  },
  preview: async ({ params, locals }) => {
    const outcome = await locals.api.previewPolicy(policyIn(params));
    return outcome.ok ? { part: 'preview' as const, preview: outcome.value } : refused('apply', outcome.problem);
  },
  apply: async ({ request, params, locals }) => {
    const form = await request.formData();
    const version = Number(form.get('version'));
    if (!Number.isInteger(version) || version < 1)
      return fail(400, { part: 'apply' as const, complaint: 'Preview it first.', errors: [], stepUp: false });
    const outcome = await locals.api.applyPolicy(policyIn(params), version);
    return outcome.ok ? { part: 'apply' as const, application: outcome.value } : refused('apply', outcome.problem);
  },
};
