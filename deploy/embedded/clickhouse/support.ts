import { readFileSync } from 'node:fs';

/** The platform packages chDB publishes, by `platform-architecture`. */
const PLATFORM_PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@chdb/lib-linux-x64-gnu',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'darwin-arm64': '@chdb/lib-darwin-arm64',
};

/** ClickHouse's x64 builds are compiled for SSE 4.2 and POPCNT; without them the process dies with an illegal instruction. */
const X64_CPU_FLAGS = ['ssse3', 'sse4_1', 'sse4_2', 'popcnt'];

export type EngineSupport = { supported: true } | { supported: false; reason: string };

/** What the decision is made from, so that a test can describe a machine it does not run on. */
export type Machine = {
  platform: string;
  arch: string;
  /** glibc's version, or undefined where the C library is another one (musl). */
  glibc: string | undefined;
  /** CPU flags, or undefined where the system does not list them. */
  cpuFlags: readonly string[] | undefined;
};

/** Name of the npm package that holds the engine for a platform, or undefined when there is none. */
export function enginePackage(platform: string, arch: string): string | undefined {
  return PLATFORM_PACKAGES[`${platform}-${arch}`];
}

/**
 * Says whether the embedded ClickHouse can run on this machine, without loading it: platform, processor, C library and
 * CPU flags only. The reason is one sentence for a person, with what to do.
 */
export function engineSupport(machine: Machine = thisMachine()): EngineSupport {
  const elsewhere = 'set CLICKHOUSE_URL to a ClickHouse server instead';
  if (enginePackage(machine.platform, machine.arch) === undefined) {
    return {
      supported: false,
      reason: `The embedded ClickHouse runs on Linux and macOS with an x64 or arm64 processor, not on ${machine.platform}-${machine.arch}; ${elsewhere}.`,
    };
  }
  if (machine.platform === 'linux' && machine.glibc === undefined) {
    return {
      supported: false,
      reason: `The embedded ClickHouse needs the C library glibc, and this system (Alpine, for one) uses another; ${elsewhere}.`,
    };
  }
  if (machine.arch === 'x64' && machine.cpuFlags !== undefined) {
    const flags = new Set(machine.cpuFlags);
    const missing = X64_CPU_FLAGS.filter((flag) => !flags.has(flag));
    if (missing.length > 0) {
      return {
        supported: false,
        reason: `The embedded ClickHouse needs a processor with SSE 4.2, and this one lacks ${missing.join(', ')}; ${elsewhere}.`,
      };
    }
  }
  return { supported: true };
}

function thisMachine(): Machine {
  return { platform: process.platform, arch: process.arch, glibc: glibcVersion(), cpuFlags: linuxCpuFlags() };
}

/** Node's own report names the glibc it runs on; with musl the field is missing. */
function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  // Without this the report looks up the names of open network peers, which can take seconds. Node's types lack it.
  const settings = process.report as typeof process.report & { excludeNetwork: boolean };
  const before = settings.excludeNetwork;
  settings.excludeNetwork = true;
  const report = settings.getReport() as { header?: { glibcVersionRuntime?: string } };
  settings.excludeNetwork = before;
  return report.header?.glibcVersionRuntime;
}

function linuxCpuFlags(): string[] | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  let text: string;
  try {
    text = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return undefined;
  }
  const line = /^flags\s*:\s*(.*)$/m.exec(text);
  return line === null ? undefined : line[1]!.trim().split(/\s+/);
}
