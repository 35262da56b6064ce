/** Whether this browser can make and use passkeys in the form that query-api speaks. */
export function passkeysWork(): boolean {
  return 'PublicKeyCredential' in window && 'parseCreationOptionsFromJSON' in PublicKeyCredential;
}

interface Answer {
  complaint: string;
  stepUp: boolean;
}

async function post(path: string, body: unknown): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function refusalOf(response: Response): Promise<Answer> {
  const { complaint = 'That did not work.', stepUp = false } = (await response
    .json()
    .catch(() => ({}))) as Partial<Answer>;
  return { complaint, stepUp };
}

const CANCELLED: Answer = {
  complaint: 'The browser made no passkey: it was cancelled, or there is one already.',
  stepUp: false,
};

/** Has the browser make a passkey and adds it to the account. */
export async function createPasskey(name: string): Promise<Answer> {
  const options = await post('/account/passkeys', { step: 'options' });
  if (!options.ok) return refusalOf(options);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    (await options.json()) as PublicKeyCredentialCreationOptionsJSON,
  );
  const made = await navigator.credentials.create({ publicKey }).catch(() => null);
  if (!(made instanceof PublicKeyCredential)) return CANCELLED;
  const added = await post('/account/passkeys', { step: 'add', name, response: made.toJSON() });
  return added.ok ? { complaint: '', stepUp: false } : refusalOf(added);
}

/** Signs in by a passkey. The complaint is empty when it worked. */
export async function signInByPasskey(): Promise<Answer> {
  const options = await post('/sign-in/passkey', { step: 'options' });
  if (!options.ok) return refusalOf(options);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    (await options.json()) as PublicKeyCredentialRequestOptionsJSON,
  );
  const signed = await navigator.credentials.get({ publicKey }).catch(() => null);
  if (!(signed instanceof PublicKeyCredential)) return { complaint: 'No passkey was used.', stepUp: false };
  const answer = await post('/sign-in/passkey', { step: 'sign_in', response: signed.toJSON() });
  return answer.ok ? { complaint: '', stepUp: false } : refusalOf(answer);
}
