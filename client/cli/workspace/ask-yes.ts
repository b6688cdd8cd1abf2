import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';

/**
 * Asks the person whether exactly this shall be done, each line naming one thing. Resolves when the answer is yes; throws
 * `PlanPreconditionFailed` for any other answer. What is no terminal cannot be asked: it must have answered with `agreed`.
 */
export async function askYes(
  { stdin, stderr }: CliContext,
  lines: readonly string[],
  question: string,
  agreed: boolean,
): Promise<void> {
  for (const line of lines) stderr.write(`  ${printable(line)}\n`);
  if (agreed) return;
  if (!stdin.isTTY) {
    throw new LonghaulError(
      'PlanPreconditionFailed',
      `This must be confirmed: ${lines.join(' ')} Run the command in a terminal, or add --yes.`,
    );
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: stdin, output: stderr });
  // the end of the input is not an answer, and "no" is the safe default
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N]: `), ended]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new LonghaulError('PlanPreconditionFailed', 'Not confirmed: nothing was changed.');
}
