/**
 * What secrets look like. Written from the published facts about each format (prefix, alphabet, least length). Lengths
 * are lower bounds on purpose: issuers lengthen their keys without notice, and half a key is a leak too.
 *
 * A rule is tried only where its literal stands, so a text without any literal costs one look at each character.
 */
export interface SecretRule {
  name: string;
  /** Literal starts, case-sensitive, three characters or more. */
  starts: readonly string[];
  /** Matches the whole secret; sticky, tried at the position of the literal. */
  pattern: RegExp;
  /** The literal also occurs inside ordinary words, so it only counts after something that is no letter or digit. */
  afterBoundary?: true;
  /** Fixed text to put there instead of a hint, where even the ends of the secret say too much. */
  mask?: string;
  /** Whether it can be what an event names as its credential. */
  isApiKey: boolean;
}

const key = (name: string, starts: string[], pattern: RegExp, more: Partial<SecretRule> = {}): SecretRule => ({
  name,
  starts,
  pattern,
  isApiKey: true,
  ...more,
});

/** Order matters where one literal begins with another: the more specific rule comes first. */
export const SECRET_RULES: readonly SecretRule[] = [
  key('anthropic', ['sk-ant-'], /sk-ant-[\w-]{16,}/y),
  key(
    'openai',
    ['sk-proj-', 'sk-svcacct-', 'sk-service-', 'sk-admin-'],
    /sk-(?:proj|svcacct|service|admin)-[\w-]{16,}/y,
  ),
  key('openrouter', ['sk-or-'], /sk-or-(?:v1-)?[0-9a-f]{16,}/y),
  key('openai-legacy', ['sk-'], /sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20,}/y),
  // DeepSeek, LiteLLM and others use bare `sk-`; a digit tells them from words such as sk-learn-….
  key('sk', ['sk-'], /sk-(?=[\w-]{0,256}\d)[\w-]{20,}/y, { afterBoundary: true }),
  key(
    'stripe',
    ['sk_live_', 'sk_test_', 'sk_prod_', 'rk_live_', 'rk_test_', 'rk_prod_'],
    /[sr]k_(?:live|test|prod)_\w{10,}/y,
  ),
  key('stripe-webhook', ['whsec_'], /whsec_[\w+/=]{20,}/y),
  key('lanewatch', ['lw_'], /lw_[a-z]{2,16}_[A-Za-z0-9]{20,}(?:_[A-Za-z0-9]+)?/y),
  key('aws', ['AKIA', 'ASIA', 'ABIA', 'ACCA', 'A3T'], /(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16,}/y),
  key('google', ['AIza'], /AIza[\w-]{30,}/y),
  key('google-oauth', ['ya29.', 'GOCSPX-'], /(?:ya29\.|GOCSPX-)[\w-]{20,}/y),
  key('github', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], /gh[pousr]_[A-Za-z0-9]{30,}/y),
  key('github-fine-grained', ['github_pat_'], /github_pat_\w{36,}/y),
  key('gitlab', ['glpat-', 'glptt-', 'gldt-', 'glrt-', 'glcbt-'], /gl(?:pat|ptt|dt|rt|cbt)-[\w.-]{20,}/y),
  key(
    'slack',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.', 'xoxc-', 'xoxd-', 'xapp-'],
    /(?:xox[a-z]|xapp)[-.][\w.%-]{10,}/y,
  ),
  key('slack-webhook', ['hooks.slack.com/'], /hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/+-]{20,}/y, {
    mask: 'hooks.slack.com/...',
    isApiKey: false,
  }),
  key('hugging-face', ['hf_', 'api_org_'], /(?:hf_|api_org_)[A-Za-z0-9]{30,}/y),
  key('xai', ['xai-'], /xai-\w{30,}/y),
  key('groq', ['gsk_'], /gsk_[A-Za-z0-9]{30,}/y),
  key('perplexity', ['pplx-'], /pplx-[A-Za-z0-9]{30,}/y),
  key('replicate', ['r8_'], /r8_\w{30,}/y),
  key('nvidia', ['nvapi-'], /nvapi-[\w-]{30,}/y),
  key('fireworks', ['fw_'], /fw_[A-Za-z0-9]{20,}/y, { afterBoundary: true }),
  key('cerebras', ['csk-'], /csk-[a-z0-9]{30,}/y),
  key('tavily', ['tvly-'], /tvly-[\w-]{20,}/y),
  key('npm', ['npm_'], /npm_[A-Za-z0-9]{30,}/y),
  key('pypi', ['pypi-'], /pypi-[\w-]{50,}/y),
  key('docker', ['dckr_pat_', 'dckr_oat_'], /dckr_[po]at_[\w-]{20,}/y),
  key('digitalocean', ['dop_v1_', 'doo_v1_', 'dor_v1_'], /do[opr]_v1_[0-9a-f]{40,}/y),
  key('sendgrid', ['SG.'], /SG\.[\w-]{16,}\.[\w-]{16,}/y),
  key('vault', ['hvs.', 'hvb.'], /hv[sb]\.[\w-]{24,}/y),
  key('databricks', ['dapi'], /dapi[0-9a-f]{32,}/y),
  key('shopify', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], /shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32,}/y),
  key('atlassian', ['ATATT3'], /ATATT3[\w=-]{40,}/y),
  key('linear', ['lin_api_'], /lin_api_[A-Za-z0-9]{32,}/y),
  key('langfuse', ['sk-lf-', 'pk-lf-'], /[sp]k-lf-[0-9a-f-]{30,}/y),
  key('langsmith', ['lsv2_'], /lsv2_[a-z]{2}_[\w]{32,}/y),
  key('age', ['AGE-SECRET-KEY-'], /AGE-SECRET-KEY-[A-Z0-9]{20,}/y),
  key('jwt', ['eyJ'], /eyJ[\w-]{10,2048}\.[\w-]{4,}(?:\.[\w-]*){0,3}/y),
  key(
    'private-key',
    ['-----BEGIN '],
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/y,
    {
      mask: 'PRIVATE KEY...',
      isApiKey: false,
    },
  ),
  // The token of a Bearer header needs a digit or some length, or "bearer authentication" would count.
  key(
    'bearer',
    ['Bearer ', 'bearer ', 'BEARER '],
    /bearer {1,8}(?=[^\s]{0,256}\d|[^\s]{32})[A-Za-z0-9._~+/=:-]{8,}/iy,
    {
      mask: 'Bearer ...',
      isApiKey: false,
    },
  ),
  key('basic', ['Basic ', 'basic ', 'BASIC '], /basic {1,8}(?=[^\s]{0,256}[\d=]|[^\s]{32})[A-Za-z0-9+/=_-]{8,}/iy, {
    mask: 'Basic ...',
    isApiKey: false,
  }),
  // `curl -u name:password`, but not `docker run -u 1000:1000` nor `git push -u origin main:main`.
  key('user-option', ['-u ', '-u"', "-u'"], /-u ?["']?(?!\d+:\d+(?:\s|$))[^\s:"']{1,256}:(?!\/\/)[^\s"']{4,}["']?/y, {
    mask: '-u ...',
    isApiKey: false,
    afterBoundary: true,
  }),
  key(
    'user-option-long',
    ['--user ', '--user=', '--proxy-user '],
    /--(?:proxy-)?user[ =]["']?(?!\d+:\d+(?:\s|$))[^\s:"']{1,256}:(?!\/\/)[^\s"']{4,}["']?/y,
    {
      mask: '--user ...',
      isApiKey: false,
    },
  ),
];
