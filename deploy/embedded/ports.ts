import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Endpoint } from './config.ts';
import { StartProblem } from './problem.ts';

/**
 * Finds out before anything starts that every port can be had, and settles which free port an endpoint with port 0 gets.
 * @returns the endpoints in the same order, each with its port
 * @throws StartProblem naming the first port that is taken, its variable and, where it can be found, who has it
 */
export async function settlePorts(endpoints: { title: string; endpoint: Endpoint }[]): Promise<Endpoint[]> {
  const named = new Map<number, string>();
  for (const { endpoint } of endpoints) {
    if (endpoint.port === 0) continue;
    const other = named.get(endpoint.port);
    if (other !== undefined) {
      throw new StartProblem(
        `${other} and ${endpoint.variable} both name port ${endpoint.port}: give one of them another.`,
      );
    }
    named.set(endpoint.port, endpoint.variable);
  }
  // All are held at once, so that two endpoints never get the same free port.
  const held = [];
  try {
    for (const { title, endpoint } of endpoints) held.push(await hold(title, endpoint));
    return held.map(({ endpoint }) => endpoint);
  } finally {
    await Promise.all(held.map(({ release }) => release()));
  }
}

async function hold(title: string, endpoint: Endpoint): Promise<{ endpoint: Endpoint; release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.port, endpoint.host, resolve);
  }).catch((error: unknown) => {
    throw problemOf(title, endpoint, error as NodeJS.ErrnoException);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : endpoint.port;
  return {
    endpoint: { ...endpoint, port },
    release: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function problemOf(title: string, endpoint: Endpoint, error: NodeJS.ErrnoException): StartProblem {
  const { host, port, variable } = endpoint;
  if (error.code === 'EADDRINUSE') {
    const owner = ownerOf(port);
    const by = owner === null ? '' : ` by process ${owner.pid} (${owner.command})`;
    return new StartProblem(
      `Port ${port} for the ${title} is taken${by}: stop what uses it, or choose another port with ${variable}=${port + 1000}.`,
    );
  }
  if (error.code === 'EACCES') {
    return new StartProblem(
      `Port ${port} for the ${title} needs more rights than you have: choose one above 1023 with ${variable}.`,
    );
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new StartProblem(
      `This machine has no address ${host} for the ${title} to listen on: change ${variable.replace('_PORT', '_HOST')}.`,
    );
  }
  return new StartProblem(`The ${title} can't listen on ${host}:${port} (${error.message}): change ${variable}.`);
}

/** The process that listens on a TCP port, from /proc; null where that can't be read (other systems, other people's processes). */
export function ownerOf(port: number): { pid: number; command: string } | null {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsAny(pid, inodes)) {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 80);
        return { pid: Number(pid), command };
      }
    }
  } catch {
    return null;
  }
  return null;
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === LISTEN)
    .map((fields) => fields[9] ?? '');
}

function holdsAny(pid: string, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        return inode !== undefined && inodes.has(inode);
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
