import { canonicalDomain } from './host.ts';
import { foldedSpelling, plainSpelling } from './spelling.ts';

/** Hosts under another name of theirs: for SSH over the port of HTTPS, or an old one. */
const SAME_HOST: Record<string, string> = {
  'www.github.com': 'github.com',
  'ssh.github.com': 'github.com',
  'www.gitlab.com': 'gitlab.com',
  'altssh.gitlab.com': 'gitlab.com',
  'www.bitbucket.org': 'bitbucket.org',
  'altssh.bitbucket.org': 'bitbucket.org',
  'ssh.dev.azure.com': 'dev.azure.com',
};

/** Where letter case tells no two paths apart: these services say so, and whoever runs their software names the host so. */
const IGNORES_CASE = /^(?:(?:github|gitlab|gitea|forgejo|bitbucket)\.|codeberg\.org$|dev\.azure\.com$)/;

const WITH_SCHEME =
  /^(?:git\+)?(?:https?|ssh|git|git\+ssh):\/\/(?:[^/?#]*@)?(\[[^\]/]*\]|[^/?#:]*)(?::\d{0,5})?(?:[/?#](.*))?$/i;
/** `git@github.com:acme/api.git`; one letter before the colon is a drive. */
const SCP = /^(?:[^@/\\:\s]+@)?(\[[^\]/]*\]|[^@/\\:\s]{2,}):(?!\/\/)(.*)$/;
/** `github.com/acme/api`: the canonical form itself. */
const WITH_HOST = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+)\/(.+)$/i;
const SHORTHANDS: Record<string, string> = { github: 'github.com', gitlab: 'gitlab.com', bitbucket: 'bitbucket.org' };

/**
 * The one form of a repository: `host/owner/name`, whatever remote address it was cloned from: without scheme, user, port, `.git`, slash
 * at the end, query, and what a browser's address has behind the name. The owner and every folder above the name stay. Letter case of
 * the path goes only where the host is known to ignore it. A name without a host (`acme/api`) stays apart from the one with it, and a path
 * on a disk is a name of its own.
 */
export function canonicalRepository(repo: string): string {
  const plain = plainSpelling(repo);
  const remote = splitRemote(plain);
  if (remote === null) return withoutEnding(plain);
  const domain = canonicalDomain(foldedSpelling(remote.host));
  const host = SAME_HOST[domain] ?? domain;
  const path = pathOn(host, remote.path);
  if (path === null || path === '' || host === '') return plain;
  return `${host}/${IGNORES_CASE.test(host) ? path.toLowerCase() : path}`;
}

function splitRemote(text: string): { host: string; path: string } | null {
  const url = WITH_SCHEME.exec(text);
  if (url !== null) return { host: url[1]!, path: (url[2] ?? '').replace(/[?#].*$/s, '') };
  if (text.includes('://')) return null;
  const scp = SCP.exec(text);
  if (scp !== null) return { host: SHORTHANDS[scp[1]!.toLowerCase()] ?? scp[1]!, path: scp[2]! };
  const withHost = WITH_HOST.exec(text);
  return withHost === null ? null : { host: withHost[1]!, path: withHost[2]! };
}

/** The path that names the repository on its host; null when its steps lead somewhere else than they say. */
function pathOn(host: string, path: string): string | null {
  let steps = path.split('/').filter((step) => step !== '');
  if (steps.includes('..') || steps.includes('.')) return null;
  if (host === 'dev.azure.com') steps = steps.filter((step, at) => step !== '_git' && !(at === 0 && step === 'v3'));
  else if (host === 'github.com') steps = steps.slice(0, 2);
  const dash = steps.indexOf('-');
  // Pages of GitLab, such as group/name/-/tree/main.
  if (dash > 1) steps = steps.slice(0, dash);
  return withoutEnding(steps.join('/'));
}

/** Without slashes and one `.git` at its end; a name that is nothing else stays. */
function withoutEnding(path: string): string {
  const open = path.replace(/(?<=[^/])\/+$/, '');
  return /[^/]\.git$/i.test(open) ? open.slice(0, -4) : open;
}
