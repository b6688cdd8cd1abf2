import type { Pipeline } from './pipeline.schema.ts';

type Step = Pick<Pipeline['jobs'][string]['steps'][number], 'command' | 'run'>;

/** What a shell does without an effect, alone in a command. */
const NOTHING = /^(?::|(?:\/usr)?(?:\/bin\/)?true|exit(?: 0)?)$/;

/**
 * True when a step has nothing to run: its text is blank, or only comments, `:`, `true` and `exit 0`. Reads the text and
 * does not run it, so a program that checks nothing, such as `echo ok`, is not found.
 */
export function doesNothing({ command, run = [] }: Step): boolean {
  const text = command ?? run.join(' ');
  const commands = text.replaceAll(/(^|\s)#.*$/gm, '$1').split(/[\n;]|&&|\|\|/);
  return commands.map((each) => each.trim()).every((each) => each === '' || NOTHING.test(each));
}
