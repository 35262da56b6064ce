/** Where models of other makers are served. */
export const PLACES: ReadonlySet<string> = new Set(['bedrock', 'vertex', 'azure', 'openrouter']);

/** Providers under every name that SDKs, proxies and conventions give them, in lower case with dashes. What is not here is its own name. */
const SAME_PROVIDER: Record<string, string> = Object.fromEntries(
  Object.entries({
    anthropic: [],
    openai: ['text-completion-openai', 'openai-compatible'],
    google: [
      'gemini',
      'gcp.gemini',
      'gcp.gen-ai',
      'google-ai-studio',
      'google-generative-ai',
      'google.generative-ai',
      'googleai',
    ],
    bedrock: ['aws', 'aws.bedrock', 'aws-bedrock', 'amazon-bedrock', 'bedrock-converse', 'bedrock-mantle'],
    vertex: [
      'vertex-ai',
      'vertexai',
      'vertex-ai-beta',
      'gcp.vertex-ai',
      'google-vertex',
      'google.vertex',
      'google-vertex-ai',
    ],
    azure: [
      'azure-ai',
      'azure-openai',
      'azure.openai',
      'azure.ai.openai',
      'az.ai.openai',
      'azure.ai.inference',
      'az.ai.inference',
      'foundry',
      'azure-text',
    ],
    openrouter: ['open-router'],
    mistral: ['mistral-ai', 'mistralai'],
    cohere: ['cohere-chat'],
    xai: ['x-ai', 'x.ai'],
    deepseek: ['deep-seek', 'deepseek-ai'],
    meta: ['meta-llama'],
    together: ['together-ai', 'togetherai'],
    fireworks: ['fireworks-ai'],
    perplexity: ['perplexity-ai'],
  }).flatMap(([name, others]) => [name, ...others].map((other) => [other, name])),
);

/** Instrumentations name the API behind a dot. */
const OF_AN_API = /(?:\.(?:chat|messages|responses|completions?|embeddings?))+$/;

/** Whether a name is one of a provider that is known here: only those are taken off the front of a model's name. */
export function isProvider(name: string): boolean {
  return Object.hasOwn(SAME_PROVIDER, name);
}

/** The one form of a provider's name: lower case with dashes, and one for each. */
export function providerName(plain: string): string {
  const dashed = plain.toLowerCase().replace(/[ _]+/g, '-').replace(OF_AN_API, '');
  return Object.hasOwn(SAME_PROVIDER, dashed) ? SAME_PROVIDER[dashed]! : dashed;
}

/** Makers by how their models are called. */
const MODELS_OF: [RegExp, string][] = [
  [/^claude/, 'anthropic'],
  [/^(?:gpt-|chatgpt-|o[134](?:-|$)|text-embedding-|codex-|dall-e|whisper)/, 'openai'],
  [/^(?:gemini|gemma|imagen)/, 'google'],
  [/^(?:(?:open-)?mi[sx]tral|codestral|magistral|devstral|ministral|pixtral)/, 'mistral'],
  [/^command-/, 'cohere'],
  [/^deepseek/, 'deepseek'],
  [/^grok/, 'xai'],
  [/^amazon\./, 'amazon'],
  [/^(?:meta\.|llama)/, 'meta'],
];

/** Who makes a model, by its canonical name; '' when it does not tell. */
export function makerOf(model: string): string {
  return MODELS_OF.find(([names]) => names.test(model))?.[1] ?? '';
}
