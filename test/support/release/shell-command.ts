import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Ended, longhaul } from '../command.ts';

/** What the program of {@link startShellCommand} sends. */
interface Typed {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly args: readonly string[];
}

/** Python starts twenty times as fast as Node with all modules of a command. */
const PROGRAM = (socket: string): string => `#!/usr/bin/env python3
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(${JSON.stringify(socket)})
typed = {'folder': os.getcwd(), 'env': dict(os.environ), 'args': sys.argv[1:]}
line.sendall(json.dumps(typed).encode())
line.shutdown(socket.SHUT_WR)
ended = json.load(line.makefile(encoding='utf-8'))
sys.stdout.write(ended['stdout'])
sys.stderr.write(ended['stderr'])
sys.exit(ended['exitCode'])
`;

/**
 * Makes a program `longhaul` in a folder, for a shell: it runs in this process, with the arguments, the environment and
 * the working folder of the shell, and without standard input. The shell must run one at a time. The function ends it.
 */
export async function startShellCommand(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'socket');
  const program = join(folder, 'longhaul');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answer(socket).catch((error: Error) => {
      const ended: Ended = { exitCode: 99, stdout: '', stderr: String(error.stack) };
      socket.end(JSON.stringify(ended));
    });
  });
  server.listen(path);
  await once(server, 'listening');
  writeFileSync(program, PROGRAM(path));
  chmodSync(program, 0o755);
  return async () => {
    server.close();
    await once(server, 'close');
    rmSync(program);
  };
}

async function answer(socket: Socket): Promise<void> {
  const { folder, env, args } = JSON.parse(await text(socket)) as Typed;
  const own = process.cwd();
  process.chdir(folder);
  try {
    socket.end(JSON.stringify(await longhaul(env, args)));
  } finally {
    process.chdir(own);
  }
}
