/** A fake query-api for working on pages: `npm run mock -w dashboard`, then `npm run dev -w dashboard`. */
import { organisation } from './organisation.ts';
import { startFakeQueryApi } from './fake-query-api.ts';

const fake = await startFakeQueryApi(organisation(Date.now()), Date.now, 4610);
console.log(`query-api (fake) on ${fake.url}; sign in at /sign-in?link=${fake.link}`);
