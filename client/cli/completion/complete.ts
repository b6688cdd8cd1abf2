import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import envPaths from 'env-paths';
import type { CliContext } from '../../core/context.ts';
import type { CliIo } from '../../core/io.ts';
import { completionsOf } from './completions.ts';
import type { Suggestion, ReadValues } from './values.ts';

/** Milliseconds that servers have to answer a person who pressed Tab; then there are no values. */
const PATIENCE = 1_500;

/**
 * `longhaul complete -- WORD…`, which the scripts of {@link completionScript} call: prints what can stand at the cursor,
 * which is at the end of the last word. One candidate a line, with a tab before its description; `:file` or `:folder`
 * where the shell completes paths. Whatever fails, such as servers that do not answer or a configuration that is not
 * trusted, leads to no candidates and no message: a person is typing a command there.
 */
export async function complete(program: Command, words: readonly string[], io: CliIo): Promise<number> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { completions, given } = completionsOf(program, before, current);
  switch (completions.kind) {
    case 'words':
      print(completions.words, io);
      break;
    case 'values': {
      const { read, prefix } = completions;
      const values = await valuesNow(read, given, io);
      print(
        fitting(values, current.slice(prefix.length)).map((each) => ({ ...each, value: `${prefix}${each.value}` })),
        io,
      );
      break;
    }
    case 'file':
    case 'folder':
      io.stdout.write(`:${completions.kind}\n`);
      break;
    case 'nothing':
  }
  return 0;
}

async function valuesNow(
  read: ReadValues,
  given: Readonly<Record<string, string>>,
  io: CliIo,
): Promise<readonly Suggestion[]> {
  const { LONGHAUL_CACHE_DIR: cacheDir } = io.env;
  enableCompileCache(join(cacheDir || envPaths('longhaul', { suffix: '' }).cache, 'compiled'));
  try {
    const context = await openQuietly(given, io);
    const signal = AbortSignal.timeout(PATIENCE);
    return await Promise.race([read(context, signal), rejected(signal)]);
  } catch {
    return [];
  }
}

/** The context of the command that is typed. Does not ask: a file that is not trusted contacts nothing. */
async function openQuietly(given: Readonly<Record<string, string>>, io: CliIo): Promise<CliContext> {
  const [{ openContext }, { openNetwork }] = await Promise.all([
    import('../../core/context.ts'),
    import('../../../activities/shared/network.ts'),
  ]);
  const context = openContext({ config: expanded(given['config']), data: expanded(given['data']) }, io);
  await openNetwork(context);
  return context;
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** A shell expands `~` when it runs a command, not while the command is typed. */
function expanded(path: string | undefined): string | undefined {
  return path?.replace(/^~(?=\/|$)/, () => homedir());
}

/**
 * The values for a word: all, because zsh and fish also match other letters than the first. When none begins with the
 * word, their parts after the first `/`, which patterns may omit.
 */
function fitting(values: readonly Suggestion[], word: string): readonly Suggestion[] {
  if (values.some(({ value }) => value.startsWith(word))) return values;
  const short = values.map(({ value, description }) => ({ value: value.slice(value.indexOf('/') + 1), description }));
  return short.some(({ value }) => value.startsWith(word)) ? short : values;
}

function print(candidates: readonly Suggestion[], { stdout }: CliIo): void {
  // what cannot be typed would also break lines or change the terminal
  const lines = candidates
    .filter(({ value }) => value !== '' && !/\p{C}/u.test(value))
    .map(({ value, description }) => {
      const shown = description.replaceAll(/\p{C}/gu, ' ').trim();
      return shown === '' ? `${value}\n` : `${value}\t${shown}\n`;
    });
  stdout.write([...new Set(lines)].join(''));
}
