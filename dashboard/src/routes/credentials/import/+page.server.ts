import { fail } from '@sveltejs/kit';
import { IMPORT_COLUMNS, IMPORT_LINES_MAX } from '@lanewatch/query-api/contract';
import { holdsKnownKey } from '@lanewatch/query-api/contract/raw-key';
import { importRefused } from './refusal.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = () => ({ columns: [...IMPORT_COLUMNS], linesMax: IMPORT_LINES_MAX });

export const actions: Actions = {
  /** First says what would change, line by line; sent again as it was told, it is done. */
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const csv = String(form.get('csv') ?? '');
    if (csv.trim() === '')
      return fail(400, { csv: '', complaint: 'Choose a file, or paste its lines.', mayBeDone: false });
    const isDryRun = form.get('act') !== 'import';
    const outcome = await locals.api.importCredentials(csv, isDryRun);
    // A raw key among the lines is not written back into the page.
    const shown = holdsKnownKey(csv) ? '' : csv;
    if (!outcome.ok) return importRefused(outcome, isDryRun, { csv: shown });
    return { csv: isDryRun ? shown : '', report: outcome.value };
  },
};
