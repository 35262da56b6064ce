import type { RequestHandler } from './$types';

/** A receipt as a file, to keep beside the export. */
export const GET: RequestHandler = async ({ locals, params }) => {
  const receipt = await locals.api.exportReceipt(params.id);
  return new Response(`${JSON.stringify(receipt, null, 2)}\n`, {
    headers: {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="${receipt.file_name}.receipt.json"`,
    },
  });
};
