import { isOneOnPriceList } from '../estimate.ts';
import { isProvider, makerOf, PLACES, providerName } from './providers.ts';
import { plainSpelling } from './spelling.ts';

export interface ModelName {
  /** Who makes the model where that is known, else who is said to have answered. */
  provider: string;
  /** Where it was served, when that is not the provider itself; ''. */
  servedBy: string;
  model: string;
}

/** What stands before the model in names of resources: Bedrock's, Vertex's and Gemini's, and those of Fireworks. */
const RESOURCE =
  /^(?:arn:aws[\w-]*:bedrock:[^/]*:(?:foundation-model|inference-profile)|(?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/[^/]+\/models|accounts\/fireworks\/models|models)\/(?=[^/]+$)/;
/** Routes that LiteLLM has inside a provider, and regions. */
const ROUTE = /^(?:converse|converse_like|invoke|responses|us|eu|[a-z]{2}-[a-z]+-\d)\/(?=[^/]+$)/;
/** Bedrock's inference profiles: a region before vendor and model. */
const PROFILE_REGION = /^(?:us|eu|apac|au|jp|ca|us-gov|global)\.(?=[a-z0-9]+\.[a-z])/;
const OF_BEDROCK = /^(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|writer|stability)\.[a-z]/;
/** Ways of routing at OpenRouter. Not `:free`, which has a price of its own. */
const ROUTING = /:(?:nitro|floor|thinking|beta)$/;

/** What Anthropic's models have at the end: version and context at Bedrock, date or `latest`, size of the context. */
const END_OF_CLAUDE = /(?:-v\d+(?::\d+)*k?|[-@]\d{8}|[-@](?:latest|default)|\[\w+\])$/;
const DATE = /-(?:\d{4}-\d{2}-\d{2}|latest)$/;

/**
 * The one form of a model, with who makes it and where it was served. What routes put before the name goes (`anthropic/`,
 * `openrouter/openai/`, `us.anthropic.`, `models/`), and what places put behind it (`-v1:0`, `@20250929`).
 *
 * A date goes where the name without it means the same: with Anthropic's models, and with others where the price list has both as one
 * (`gpt-4o-2024-05-13` stays, it costs twice what `gpt-4o` does). Names that an operator chose, such as Azure deployments, stay.
 */
export function canonicalModel(provider: string, servedBy: string, model: string): ModelName {
  const sent = providerName(plainSpelling(provider));
  const bare = withoutRoute(plainSpelling(model).toLowerCase(), sent);
  const regional = bare.name.replace(PROFILE_REGION, '');
  const isBedrock = regional !== bare.name || OF_BEDROCK.test(regional);
  const name = withoutEnd(regional);

  const sentPlace = PLACES.has(sent) ? sent : '';
  let place = providerName(plainSpelling(servedBy)) || sentPlace || bare.place || (isBedrock ? 'bedrock' : '');
  const maker = makerOf(name) || bare.maker;
  let by = sent;
  if (sent === 'google' && maker !== '' && maker !== 'google') {
    by = maker;
    place ||= 'vertex';
  } else if (sent === '' || sentPlace !== '') by = maker || sent || (name === '' ? '' : place);
  return { provider: by, servedBy: place === by ? '' : place, model: name };
}

/** Takes known providers and routes off the front, and the provider as it was sent, which may be any. */
function withoutRoute(model: string, sent: string): { name: string; maker: string; place: string } {
  let name = model;
  let maker = '';
  let place = '';
  for (;;) {
    const before = name;
    name = name.replace(RESOURCE, '').replace(ROUTE, '');
    const slash = name.indexOf('/');
    const prefix = slash > 0 ? name.slice(0, slash).trim() : '';
    const rest = name.slice(slash + 1).trim();
    const prefixed = providerName(prefix);
    if (prefix !== '' && rest !== '' && (isProvider(prefixed) || prefixed === sent)) {
      if (PLACES.has(prefixed)) place ||= prefixed;
      else maker = prefixed;
      name = rest;
    }
    if (name === before) return { name, maker, place };
  }
}

function withoutEnd(model: string): string {
  let name = model.replace(ROUTING, '');
  const claude = /^(?:anthropic\.)?(claude-.*)$/.exec(name)?.[1];
  if (claude !== undefined) return ofAnthropic(claude);
  name = name.replace(/^openai\.(gpt-oss-.*?)(?:-\d+:\d+)?$/, '$1').replace(/^gpt-35-/, 'gpt-3.5-');
  const dateless = name.replace(DATE, '');
  return dateless !== name && isOneOnPriceList(name, dateless) ? dateless : name;
}

function ofAnthropic(model: string): string {
  let name = model;
  for (;;) {
    const shorter = name.replace(END_OF_CLAUDE, '');
    // `claude-v2:1` is no version of `claude`.
    if (shorter === name || !/\d/.test(shorter)) break;
    name = shorter;
  }
  return name.replace(/(?<=\d)\.(?=\d)/g, '-');
}
