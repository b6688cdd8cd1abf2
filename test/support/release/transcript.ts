import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Aside, mayBeAside } from './asides.ts';

/** A command of a transcript, and what it prints. */
interface Step {
  /** Lines of shell. */
  readonly command: string;
  /** Lines before it that begin with `#`. */
  readonly remarks: readonly string[];
  /** Standard output, then standard error with `! ` before each line, then `[code]` unless the exit code is 0. */
  readonly output: readonly string[];
}

/** What a placeholder stands for, and may hide: ids, dates, and how long something took. */
const PLACEHOLDERS = {
  time: String.raw`\d{4}-\d\d-\d\d \d\d:\d\d`,
  instant: String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z`,
  commit: '[0-9a-f]{12}',
  generation: 'gen-[0-9a-z]{6,}',
  deployment: '[0-9a-f]{8}-[0-9a-f]{4}(?:(?:-[0-9a-f]{4}){2}-[0-9a-f]{12})?',
  digest: '[0-9a-f]{64}',
  seconds: String.raw`\d+\.\d`,
} as const;

type Placeholder = keyof typeof PLACEHOLDERS;

/** A text that a placeholder hides. */
export interface Hidden {
  readonly placeholder: Placeholder;
  readonly text: string;
  /** The line that has it. */
  readonly line: string;
}

const PLACEHOLDER = new RegExp(`<(${Object.keys(PLACEHOLDERS).join('|')})>`, 'g');

/** The commands of a transcript: a terminal session with `$ ` and `> ` before the lines that were typed. */
export function parseTranscript(text: string): Step[] {
  const steps: { command: string; remarks: string[]; output: string[] }[] = [];
  let remarks: string[] = [];
  for (const line of text.split('\n')) {
    const last = steps.at(-1);
    if (line.startsWith('#')) remarks.push(line);
    else if (line.startsWith('$ ')) {
      steps.push({ command: line.slice(2), remarks, output: [] });
      remarks = [];
    } else if (line.startsWith('>') && last !== undefined && last.output.length === 0)
      last.command += `\n${line.slice(2)}`;
    else if (remarks.length === 0) last?.output.push(line);
  }
  return steps.map(({ output, ...step }) => ({ ...step, output: withoutEnd(output) }));
}

/**
 * Puts the placeholders of the expected lines where the actual ones have a text of their form, and returns what they
 * hide. A line that differs in anything else stays as it is.
 */
export function mask(expected: readonly string[], actual: readonly string[]): { lines: string[]; hidden: Hidden[] } {
  const hidden: Hidden[] = [];
  const lines = actual.map((line, at) => {
    const template = expected[at] ?? '';
    const names = [...template.matchAll(PLACEHOLDER)].map(([, name]) => name as Placeholder);
    const form = template
      .split(PLACEHOLDER)
      .map((part, index) =>
        index % 2 === 0
          ? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
          : `(${PLACEHOLDERS[part as Placeholder]})`,
      );
    const found = names.length === 0 ? null : new RegExp(`^${form.join('')}$`).exec(line);
    if (found === null) return line;
    hidden.push(...names.map((placeholder, index) => ({ placeholder, text: found[index + 1] ?? '', line })));
    return template;
  });
  return { lines, hidden };
}

/** A transcript that was played. */
export interface Played {
  /** As the file should be. */
  readonly expected: string;
  /** As it was, with placeholders in place of what they may hide. */
  readonly actual: string;
  readonly hidden: readonly Hidden[];
  /** How many placeholders the file has. */
  readonly placeholders: number;
  /** What is not compared with the file. */
  readonly asides: readonly Aside[];
}

/** Types all commands of a transcript into one shell, in their order. */
export async function playTranscript(
  file: string,
  { folder, scratch, env }: { readonly folder: string; readonly scratch: string; readonly env: Record<string, string> },
): Promise<Played> {
  const steps = parseTranscript(readFileSync(file, 'utf8'));
  mkdirSync(scratch, { recursive: true });
  const path = (at: number, what: string): string => join(scratch, `${at}.${what}`);
  const script = steps.map(
    ({ command }, at) =>
      `{\n${command}\n} >'${path(at, 'out')}' 2>'${path(at, 'err')}'\necho $? >'${path(at, 'code')}'\n`,
  );
  const typed = join(scratch, 'typed');
  writeFileSync(typed, script.join(''));
  await execa('bash', [typed], { cwd: folder, env, extendEnv: false, reject: false, stdin: 'ignore' });
  const read = (at: number, what: string): string[] => withoutEnd(readFileSync(path(at, what), 'utf8').split('\n'));
  const asides = steps.map(({ command }, at): Aside => {
    const lines = /\blonghaul /.test(command) ? read(at, 'err').filter(mayBeAside) : [];
    return { command, lines };
  });
  const played = steps.map(({ output }, at) => {
    const code = Number(read(at, 'code')[0]);
    const aside = asides[at]?.lines ?? [];
    return mask(output, [
      ...read(at, 'out'),
      ...read(at, 'err')
        .filter((line) => !aside.includes(line))
        .map((line) => `! ${line}`.trimEnd()),
      ...(code === 0 ? [] : [`[${code}]`]),
    ]);
  });
  return {
    expected: render(steps),
    actual: render(steps.map((step, at) => ({ ...step, output: played[at]?.lines ?? [] }))),
    hidden: played.flatMap(({ hidden }) => hidden),
    asides: asides.filter(({ lines }) => lines.length > 0),
    placeholders: steps.flatMap(({ output }) => [...output.join('\n').matchAll(PLACEHOLDER)]).length,
  };
}

function render(steps: readonly Step[]): string {
  return steps
    .map(({ remarks, command, output }) =>
      [...remarks, `$ ${command.replaceAll('\n', '\n> ')}`, ...output, ''].join('\n'),
    )
    .join('\n');
}

function withoutEnd(lines: readonly string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
}
