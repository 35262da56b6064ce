/** Beginnings of provider names as instrumentations write them, and the one name of each in price lists and in our events. */
const PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [/^(gcp|google|vertex|gemini)/, 'google'],
  [/^(aws|amazon|bedrock)/, 'aws'],
  [/^(azure|az\.)/, 'azure'],
  [/^(x_ai|xai)/, 'x-ai'],
  [/^mistral/, 'mistral'],
];

/**
 * `openai.chat` and `anthropic.messages`, which name the API behind a dot, are the provider before it; of the clouds all spellings are one.
 */
export function canonicalProvider(raw: string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  const name = raw.trim().toLowerCase();
  return PROVIDERS.find(([pattern]) => pattern.test(name))?.[1] ?? name.split('.', 1)[0];
}

/** Whether requests run on the credentials of a cloud account rather than on a key: Bedrock, and Google's models through Vertex. */
export function usesCloudCredentials(provider: string | undefined, raw = ''): boolean {
  return provider === 'aws' || /vertex/i.test(raw);
}
