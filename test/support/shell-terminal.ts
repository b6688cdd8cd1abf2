import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';

/** What happened after a line was typed. */
export interface Typed {
  /** The arguments with which the shell ran `longhaul`. */
  readonly ran: readonly string[];
  /** The words that it asked `longhaul` to complete; null when it did not ask. */
  readonly asked: readonly string[] | null;
  /** All that the shell wrote to the terminal, with control sequences. */
  readonly screen: string;
}

/** A shell in a pseudo-terminal that completes `longhaul`. */
export interface ShellTerminal {
  /** Types keys, `\t` for Tab, then Enter, and waits until `longhaul` runs. `answer`: what `longhaul complete` prints. */
  type(keys: string, answer: string): Promise<Typed>;
  close(): Promise<void>;
}

/** Starts without the user's settings, and loads a script. */
const STARTS = {
  bash: { args: ['--norc', '--noprofile', '-i'], load: 'source' },
  zsh: { args: ['-f', '-i'], load: 'autoload -Uz compinit; compinit -u -D; source' },
  fish: { args: ['--no-config', '-i'], load: 'source' },
} as const;

/** A shell that {@link openShellTerminal} can start. */
export type ShellName = keyof typeof STARTS;

/** Answers as the program would, and records what the shell calls it with. */
const STAND_IN = `#!/bin/sh
cd "$RECORD"
case "$1" in
  complete) shift 2; printf '%s\\0' "$@" > asked; exec cat answer ;;
  *) printf '%s\\0' "$@" > part; exec mv part ran ;;
esac
`;

/** Starts a shell with the completion `script` in `folder`, where it has its home, and `work` as its current folder. */
export async function openShellTerminal(shell: ShellName, script: string, folder: string): Promise<ShellTerminal> {
  const [bin, record, work] = ['bin', 'record', 'work'].map((name) => join(folder, name)) as [string, string, string];
  await Promise.all([bin, record, work].map((each) => mkdir(each, { recursive: true })));
  await writeFile(join(bin, 'longhaul'), STAND_IN);
  await chmod(join(bin, 'longhaul'), 0o755);
  const { args, load } = STARTS[shell];
  // python3 may be a program that looks into the home of the user
  // no history: a shell that ends after its terminal would write it into a folder that is being removed
  const command = ['env', `HOME=${folder}`, 'HISTFILE=', 'fish_history=', shell, ...args];
  const terminal = spawn('python3', ['-c', 'import pty,sys; pty.spawn(sys.argv[1:])', ...command], {
    cwd: work,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, TERM: 'xterm', RECORD: record, LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    // fish asks what kind of terminal this is, and waits for the answer
    if (text.includes('\u001B[c') || text.includes('\u001B[0c')) terminal.stdin.write('\u001B[?62;c');
  });
  const recorded = async (name: string): Promise<string[]> =>
    (await readFile(join(record, name), 'utf8')).split('\0').slice(0, -1);

  async function type(keys: string, answer: string): Promise<Typed> {
    screen = '';
    await Promise.all(['ran', 'asked'].map((name) => rm(join(record, name), { force: true })));
    await writeFile(join(record, 'answer'), answer);
    const happens = (name: string, what: string): Promise<void> =>
      vi.waitFor(
        () => {
          if (!existsSync(join(record, name))) throw new Error(`${shell} did not ${what} after ${keys}: ${screen}`);
        },
        { timeout: 30_000, interval: 10 },
      );
    // Keys typed before the shell has its line editor belong to the terminal, which obeys Ctrl+U itself.
    const afterTab = keys.indexOf('\t') + 1;
    if (afterTab > 0) {
      terminal.stdin.write(keys.slice(0, afterTab));
      await happens('asked', 'ask longhaul');
    }
    terminal.stdin.write(`${keys.slice(afterTab)}\r`);
    await happens('ran', 'run longhaul');
    const asked = existsSync(join(record, 'asked')) ? await recorded('asked') : null;
    return { ran: await recorded('ran'), asked, screen };
  }

  await type(`${load} '${script}'; longhaul ready`, '');
  return {
    type,
    async close() {
      terminal.stdin.end();
      terminal.kill();
      if (terminal.exitCode === null && terminal.signalCode === null) await once(terminal, 'exit');
    },
  };
}
