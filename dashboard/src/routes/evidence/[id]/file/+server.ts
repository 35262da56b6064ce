import type { RequestHandler } from './$types';

/** Evidence as a file, to keep beside the export: it holds the receipt. */
export const GET: RequestHandler = async ({ locals, params }) => {
  const evidence = await locals.api.evidence(params.id);
  return new Response(`${JSON.stringify(evidence, null, 2)}\n`, {
    headers: {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="${evidence.receipt.file_name}.evidence.json"`,
    },
  });
};
