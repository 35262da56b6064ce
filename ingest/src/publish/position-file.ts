import { constants, type FileHandle, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** How far the spool was read. */
export interface SpoolPosition {
  segment: number;
  offset: number;
}

/** How far the spool was replayed, for the next process. */
export interface PositionFile {
  /** What an earlier process wrote; null when there is nothing, or nothing that can be trusted. */
  read(): Promise<SpoolPosition | null>;
  write(position: SpoolPosition): Promise<void>;
  /** Removes the file: nothing is left to be read. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

const LINE = /^(\d{12}) (\d{12}) ([0-9a-f]{8})\n$/;
const lineOf = (position: SpoolPosition) => {
  const digits = (number: number) => String(number).padStart(12, '0');
  const text = `${digits(position.segment)} ${digits(position.offset)}`;
  return `${text} ${crc32(text).toString(16).padStart(8, '0')}\n`;
};

/**
 * One line of one length, written over in place and not fsynced: a kill leaves the old line or the new one. After a power cut an
 * older line or none may be there, and rows that were published come again, which the ledger's identity takes care of.
 */
export function createPositionFile(directory: string): PositionFile {
  const path = join(directory, 'position');
  let handle: FileHandle | null = null;

  async function close(): Promise<void> {
    const closing = handle;
    handle = null;
    await closing?.close();
  }

  return {
    close,
    async read() {
      let text: string;
      try {
        text = await readFile(path, 'latin1');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
      const parts = LINE.exec(text);
      if (parts === null) return null;
      const position = { segment: Number(parts[1]), offset: Number(parts[2]) };
      return lineOf(position) === text ? position : null;
    },
    async write(position) {
      handle ??= await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
      await handle.write(lineOf(position), 0, 'latin1');
    },
    async remove() {
      await close();
      await unlink(path).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    },
  };
}
