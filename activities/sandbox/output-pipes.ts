import { closeSync, constants, openSync } from 'node:fs';
import { chown, mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type Account, runProgram } from '../../platform/program.ts';
import { temporaryPath } from '../../platform/temporary.ts';

/** The two ends of a pipe. */
export interface OutputPipe {
  /** Its name: a program opens it for stdout and stderr. */
  readonly path: string;
  /**
   * Reads until no process has the other end any more, and reads on when `take` has returned. The bytes are valid until
   * then. Rejects with what `take` throws, and reads no more. Call it once.
   */
  read(take: (piece: Buffer) => Promise<void>): Promise<void>;
  /** Call it when a program has opened the other end: until then this process has it open. */
  handOver(): void;
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

const PIECE_BYTES = 65_536;

/**
 * Real pipes: what Node gives to its children as stdout is a socket, which they cannot open again as `/dev/stdout`, and
 * stdout and stderr would be two. The named pipes are made in `folder` and used again.
 */
export function createOutputPipes(folder: string, account: Account | null): OutputPipes {
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
      let reader: Socket | null = null;
      let isOpen = true;
      const handOver = (): void => {
        if (isOpen) closeSync(writer);
        isOpen = false;
      };
      return {
        path,
        read: (take) =>
          new Promise((resolve, reject) => {
            // one buffer for all: new ones would pile up between two runs of the garbage collector
            const buffer = Buffer.allocUnsafe(PIECE_BYTES);
            const socket = new Socket({
              fd: input,
              readable: true,
              writable: false,
              onread: {
                buffer,
                callback(count) {
                  take(buffer.subarray(0, count)).then(
                    () => socket.resume(),
                    (error: Error) => socket.destroy(error),
                  );
                  return false;
                },
              },
            });
            reader = socket;
            socket.once('error', reject);
            socket.once('close', () => resolve());
            socket.resume();
          }),
        handOver,
        close() {
          handOver();
          if (reader === null) closeSync(input);
          else reader.destroy();
          free.push(path);
        },
      };
    },
    close: () => rm(own, { recursive: true, force: true }),
  };
}
