import { controlOfRunning } from './running.ts';
import { newSignInUrl } from './control.ts';

/** `npm run -s lanewatch -- sign-in`: a new sign-in link of the running installation. */
try {
  console.log(await newSignInUrl(controlOfRunning(process.env).control));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
