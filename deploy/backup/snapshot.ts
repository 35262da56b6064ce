import { createHash } from 'node:crypto';
import { createReadStream, constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/** A snapshot that can't be made or used; one sentence for the person at the terminal. */
export class SnapshotProblem extends Error {
  override readonly name = 'SnapshotProblem';
}

const MANIFEST = 'manifest.json';
const DATA = 'data';
const FORMAT = 1;

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  created_at: z.iso.datetime(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
  links: z.array(z.object({ path: z.string(), target: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Copies everything below a folder, with a list of all files, their sizes and SHA-256, which is written last: a copy without it was
 * interrupted. The folder must be at rest.
 * @param leftOut names directly below `source` that are no data
 * @param now epoch milliseconds
 * @throws SnapshotProblem when `target` has anything in it
 */
export async function takeSnapshot(
  source: string,
  target: string,
  leftOut: readonly string[],
  now: number,
): Promise<Manifest> {
  await requireEmpty(target, 'A backup goes into a folder of its own');
  const manifest: Manifest = { format: FORMAT, created_at: new Date(now).toISOString(), files: [], links: [] };
  await mkdir(join(target, DATA), { recursive: true, mode: 0o700 });
  for await (const path of entriesOf(source, leftOut)) {
    const from = join(source, path);
    const to = join(target, DATA, path);
    const found = await lstat(from);
    if (found.isDirectory()) await mkdir(to, { mode: found.mode });
    else if (found.isSymbolicLink()) {
      const link = await readlink(from);
      // One that names its own data by the whole path would name the old place after a restore elsewhere.
      manifest.links.push({ path, target: relative(dirname(from), resolve(dirname(from), link)) });
    } else if (found.isFile()) {
      await copyFile(from, to, constants.COPYFILE_FICLONE);
      manifest.files.push({ path, bytes: found.size, sha256: await hashOf(to) });
    }
  }
  await writeFile(join(target, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true });
  return manifest;
}

/**
 * Puts a snapshot back. Every file is compared with the list before the first one is copied, so that a damaged backup changes nothing.
 * @throws SnapshotProblem when it is no whole backup or `target` has anything in it
 */
export async function restoreSnapshot(snapshot: string, target: string): Promise<Manifest> {
  await requireEmpty(target, 'A backup is restored into an empty data directory');
  const manifest = await readManifest(snapshot);
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(snapshot, DATA, path);
    const found = await lstat(file).catch(() => null);
    if (found?.size !== bytes || (await hashOf(file)) !== sha256)
      throw new SnapshotProblem(
        `${file} is ${found === null ? 'missing' : 'not as it was written'}: use another backup; nothing was restored.`,
      );
  }
  await mkdir(target, { recursive: true, mode: 0o700 });
  try {
    for await (const path of entriesOf(join(snapshot, DATA), [])) {
      const from = join(snapshot, DATA, path);
      const found = await lstat(from);
      if (found.isDirectory()) await mkdir(join(target, path), { mode: found.mode });
      else await copyFile(from, join(target, path), constants.COPYFILE_FICLONE);
    }
    for (const link of manifest.links) await symlink(link.target, join(target, link.path));
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
  return manifest;
}

async function readManifest(snapshot: string): Promise<Manifest> {
  const file = join(snapshot, MANIFEST);
  const text = await readFile(file, 'utf8').catch(() => {
    throw new SnapshotProblem(`There is no ${file}: ${snapshot} is no backup, or one that was interrupted.`);
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw new SnapshotProblem(`${file} can't be read: the backup is damaged, or a newer Lanewatch made it.`);
  }
}

async function requireEmpty(directory: string, why: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new SnapshotProblem(`${directory} can't be used (${error.message}).`);
  });
  if (names.length > 0) throw new SnapshotProblem(`${why}, and ${directory} has ${names[0]} in it: name another one.`);
}

/** Paths below a folder, each folder before what lies in it. */
async function* entriesOf(root: string, leftOut: readonly string[], below = ''): AsyncGenerator<string> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (below === '' && leftOut.includes(entry.name)) continue;
    const path = join(below, entry.name);
    yield path;
    if (entry.isDirectory()) yield* entriesOf(root, leftOut, path);
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
