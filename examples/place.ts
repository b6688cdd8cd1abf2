import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { styleText } from 'node:util';
import { execa } from 'execa';
import { CLEAN_GIT_ENV } from './git.ts';
import { longhaulShown } from './longhaul.ts';

/** A remote, and a clone in which commands are run and shown. */
export interface Place {
  readonly repository: string;
  readonly remote: string;
  readonly clone: string;
  /** Shows a command and runs it; returns its standard output. */
  readonly git: (...args: readonly string[]) => Promise<string>;
  /** The same; rejects with `CommandFailed` when it fails. */
  readonly longhaul: (...args: readonly string[]) => Promise<string>;
  /** The same for a command that must end with this exit code. */
  readonly longhaulEndingWith: (exitCode: number, ...args: readonly string[]) => Promise<string>;
  /** Shows what is written into a file of the clone, and writes it. */
  readonly write: (path: string, text: string) => Promise<void>;
}

/** Where a place is. */
export interface PlaceOptions extends Pick<Place, 'repository' | 'remote' | 'clone'> {
  readonly config: string;
  readonly dataDir: string | undefined;
  readonly signal: AbortSignal;
}

/** Runs and shows commands in a clone. */
export function openPlace({ config, dataDir, signal, ...place }: PlaceOptions): Place {
  const { clone } = place;
  const longhaulEndingWith = (exitCode: number, ...args: readonly string[]): Promise<string> => {
    announce('longhaul', args);
    return longhaulShown(args, { config, dataDir, signal, cwd: clone }, exitCode);
  };
  return {
    ...place,
    longhaulEndingWith,
    longhaul: (...args) => longhaulEndingWith(0, ...args),
    async git(...args) {
      announce('git', args);
      const { stdout } = await execa('git', args, {
        cwd: clone,
        env: CLEAN_GIT_ENV,
        extendEnv: false,
        stdin: 'ignore',
        stdout: ['pipe', 'inherit'],
        stderr: 'inherit',
        cancelSignal: signal,
      });
      return stdout;
    },
    async write(path, text) {
      announce('cat', ['>', path]);
      process.stdout.write(styleText('dim', text.replaceAll(/^/gm, '> ').slice(0, -2)));
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), text);
    },
  };
}

/** Shows a command. */
export function announce(program: string, args: readonly string[]): void {
  process.stdout.write(`${styleText('bold', `$ ${[program, ...args.map(shellWord)].join(' ')}`)}\n`);
}

/** A word as a shell reads it. */
export function shellWord(word: string): string {
  if (/^[\w./:@%+>-]+$/.test(word)) return word;
  const isSafe = !/[$`"\\!]/.test(word);
  return word.includes("'") && isSafe ? `"${word}"` : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
