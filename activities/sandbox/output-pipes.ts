import { closeSync, constants, openSync } from 'node:fs';
import { chown, mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { runProgram } from '../../platform/program.ts';
import { temporaryPath } from '../../platform/temporary.ts';
import type { ProgramUser } from './account.ts';

/** The two ends of a pipe. */
export interface OutputPipe {
  /** The end for a program: stdout and stderr. */
  readonly writer: number;
  /** Ends when no process has the other end any more. */
  readonly reader: Readable;
  /** Closes the end of the program in this process. */
  closeWriter(): void;
  /** Closes the pipe. No other process may have it any more. */
  close(): void;
}

/** Pipes for the output of programs. */
export interface OutputPipes {
  /** Opens a pipe. */
  open(): Promise<OutputPipe>;
  /** Removes their files. */
  close(): Promise<void>;
}

/**
 * Real pipes: what Node gives to its children as stdout is a socket, which they cannot open again as `/dev/stdout`, and
 * stdout and stderr would be two. The named pipes are made in `folder` and used again.
 */
export function createOutputPipes(folder: string, account: ProgramUser | null): OutputPipes {
  const own = temporaryPath(join(folder, 'pipes'));
  const free: string[] = [];
  let made = 0;

  async function make(): Promise<string> {
    const path = join(own, String(made++));
    await mkdir(own, { recursive: true, mode: 0o700 });
    const { code, stderr } = await runProgram('mkfifo', ['-m', '600', path], { env: { PATH: process.env['PATH'] } });
    if (code !== 0) throw new Error(`mkfifo failed: ${stderr}`);
    // a program that opens /dev/stdout opens the pipe again
    if (account !== null) await chown(path, account.uid, account.gid);
    return path;
  }

  return {
    async open() {
      const path = free.pop() ?? (await make());
      // the reader does not wait for a writer, which then finds a reader
      const input = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const writer = openSync(path, constants.O_WRONLY);
      const reader = new Socket({ fd: input, readable: true, writable: false });
      let isOpen = true;
      const closeWriter = (): void => {
        if (isOpen) closeSync(writer);
        isOpen = false;
      };
      return {
        writer,
        reader,
        closeWriter,
        close() {
          closeWriter();
          reader.destroy();
          free.push(path);
        },
      };
    },
    close: () => rm(own, { recursive: true, force: true }),
  };
}
