import { checkConfig, findConfig, type FoundConfig } from '../../../activities/shared/config.ts';
import { trustFile } from '../../../activities/shared/trusted-files.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { type CliContext, openContext } from '../../core/context.ts';
import type { CliIo } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';
import { openQuestions } from './ask.ts';
import { reachOf } from './reach.ts';

/**
 * The context of a command. A configuration file in the current folder that is not trusted is shown on a terminal, with
 * a question; otherwise, and after "no", throws `ConfigurationNotTrusted`.
 */
export async function openTrustedContext(options: { config?: string; data?: string }, io: CliIo): Promise<CliContext> {
  try {
    return openContext(options, io);
  } catch (error) {
    const isQuestion = error instanceof LonghaulError && error.type === 'ConfigurationNotTrusted';
    const found = isQuestion ? findConfig() : null;
    const questions = found === null ? null : await openQuestions(io);
    if (found === null || questions === null) throw error;
    show(found, io);
    // the end of the input is not an answer, and "no" is the safe default
    const answer = await questions.ask('Use this file until it changes? [y/N]: ').finally(questions.close);
    if (!/^y(es)?$/i.test(answer.trim())) throw error;
    await trustFile(found.path, found.content, io.env);
    return openContext(options, io);
  }
}

/** `longhaul config trust`: the person has read the file. */
export async function trustCommand(folder: string, io: CliIo): Promise<number> {
  const found = findConfig(folder);
  if (found === null) throw new LonghaulError('InvalidInput', `There is no longhaul.yaml in ${folder}.`);
  show(found, io);
  await trustFile(found.path, found.content, io.env);
  io.stderr.write('It is trusted until it changes.\n');
  return 0;
}

function show(found: FoundConfig, { stderr }: CliIo): void {
  const lines = reachOf(checkConfig(found).config);
  stderr.write(`${printable(found.path)} is new or has changed. With it Longhaul\n`);
  for (const line of lines) stderr.write(`  ${printable(line)}\n`);
  if (lines.length === 0) stderr.write('  contacts, runs and reads nothing more than without it\n');
}
