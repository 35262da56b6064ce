/**
 * What a person pastes to point a client here. Pure text work without Node imports: the launcher prints it in a terminal and
 * the dashboard shows it in the browser.
 */

/**
 * The shell lines that make Claude Code report its usage, for any POSIX shell. The key is never sent: the last assignment
 * computes its fingerprint and hint on the machine, by the rules of `fingerprintOf` and `hintOf`. The key reaches only shell
 * built-ins and standard input, so it shows in no list of processes; a hint with a character that the header syntax of
 * resource attributes does not carry is left out. Of the variables that can hold a key the first one set counts, in the order that
 * Claude Code documents; behind a proxy it is ANTHROPIC_AUTH_TOKEN, whose fingerprint is then the one that the proxy reports.
 *
 * No variable holds the key when a script of Claude Code's settings (`apiKeyHelper`) prints it. LANEWATCH_PROVIDER_KEY is for that: it goes
 * before the others, need not be exported, and nothing else reads it. Where there is no key the lines say so, and what to do.
 *
 * The user is named by git's e-mail address, else by the login: with an API key Claude Code itself names only a random number per home
 * directory, and three fresh containers of one person would look like three people sharing the key. Signed in, the account goes first.
 *
 * The repository is named by the address of its remote without user and password, so that two owners' `api` stay two; ingest gives it its
 * one form. Without a remote on a host it is the name of its folder.
 *
 * Resource attributes that the shell already has stay, before ours. The four that the lines write are taken out first, so that pasting
 * again changes them and adds nothing, and a key that is no longer set is no longer named.
 * @param ingestUrl address of ingest, without a slash at its end
 * @param collectorKey a managed key with scope write on usage-events
 */
export function claudeCodeEnvironment(ingestUrl: string, collectorKey: string): string {
  return `export CLAUDE_CODE_ENABLE_TELEMETRY=1
export OTEL_LOGS_EXPORTER=otlp
export OTEL_METRICS_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/json
export OTEL_EXPORTER_OTLP_ENDPOINT=${ingestUrl}
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer ${collectorKey}"
export OTEL_RESOURCE_ATTRIBUTES="$({
  printf '%s\\n' "\${OTEL_RESOURCE_ATTRIBUTES-}" | tr , '\\n' |
    sed -E -e '/^ *(apikey[.](fingerprint|hint)|vcs[.]repository[.]name|enduser[.]id)=/d' -e '/^$/d'
  key=\${LANEWATCH_PROVIDER_KEY:-\${ANTHROPIC_AUTH_TOKEN:-\${ANTHROPIC_API_KEY:-\${CLAUDE_CODE_OAUTH_TOKEN-}}}}
  key=$(printf %s "$key" | tr -d '[:space:]')
  if [ -n "$key" ]; then
    hash=$(printf %s "$key" | { sha256sum 2>/dev/null || shasum -a 256 2>/dev/null || openssl dgst -sha256 -r; } | cut -c1-64)
    prefix=
    for p in sk- sk-ant- sk-ant-api03- sk-ant-admin01- sk-ant-oat01- sk-ant-ort01-; do
      if [ "\${key#"$p"}" != "$key" ]; then prefix=$p; fi
    done
    body=\${key#"$prefix"}
    hint=$prefix...
    if [ "\${#body}" -ge 16 ]; then hint=$prefix$(printf %s "$body" | cut -c1-3)...$(printf %s "$body" | tail -c 4); fi
    printf 'apikey.fingerprint=%s\\n' "$hash"
    if [ -z "$(printf %s "$hint" | tr -d 'A-Za-z0-9._-')" ]; then printf 'apikey.hint=%s\\n' "$hint"; fi
  else
    printf 'No API key is set here. If an apiKeyHelper prints it: LANEWATCH_PROVIDER_KEY=$(the helper), then paste again.\\n' >&2
  fi
  repo=$(git config --get remote.origin.url 2>/dev/null | sed -E -e 's|^([A-Za-z+]+://)[^/?#]*@|\\1|' -e 's|^[^/]*@||' -e 's|[?#].*||')
  case $repo in
    ([/.]*|?:*|file:*) repo= ;;
    (*:*) ;;
    (*) repo= ;;
  esac
  if [ -z "$repo" ]; then repo=$(basename "$(git rev-parse --show-toplevel 2>/dev/null)"); fi
  repo=$(printf %s "$repo" | tr -c 'A-Za-z0-9.:/_~-' '-')
  if [ -n "$repo" ]; then printf 'vcs.repository.name=%s\\n' "$repo"; fi
  user=$(git config --get user.email 2>/dev/null || id -un)
  user=$(printf %s "$user" | tr -cd 'A-Za-z0-9.@_+-')
  if [ -n "$user" ]; then printf 'enduser.id=%s\\n' "$user"; fi
} | paste -sd , -)"`;
}

/**
 * One event by hand, to see the whole way. It names a key by hint and organisation, which no registry knows; with the two it can be
 * registered, with a hint alone it could not.
 */
export function curlLine(ingestUrl: string, collectorKey: string): string {
  const event = `{"source":"by-hand","id":"'"$(date +%s)-$$"'","time":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'","credential":{"hint":"sk-ant-...TRY1"},"org":"try-out","agent":{"name":"curl"},"session":"first-try","provider":"anthropic","model":"claude-sonnet-4-6","tokens":{"input_uncached":1200,"output":340},"cost_usd":"0.61","cost_basis":"reported"}`;
  return `curl -sS ${ingestUrl}/v1/events -H 'content-type: application/json' -H 'authorization: Bearer ${collectorKey}' -d '${event}'`;
}
