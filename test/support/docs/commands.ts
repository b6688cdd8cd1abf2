import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { BENCHMARKS, readOptions as readBenchOptions } from '../../../bench/options.ts';
import { createProgram } from '../../../client/cli/program.ts';
import { readScene } from '../../../examples/scene.ts';
import { memoryIo } from '../memory-io.ts';

/** Why a command would not run; null when it would, or when it is not a program of ours. */
export type Refusal = string | null;

/** The scripts and projects of `npm run` and `npx vitest`. */
export interface Checkout {
  readonly root: string;
  readonly scripts: Readonly<Record<string, string>>;
  /** Names of the projects of tests. */
  readonly projects: readonly string[];
}

/**
 * Checks a command as a reader would type it. `longhaul` is parsed by the real program, whose actions do not run; `npm`
 * and `node` by what they start. Usage notation is supported: `[--full]`, `PATTERN...`, `list|show`.
 */
export async function checkCommand(words: readonly string[], checkout: Checkout): Promise<Refusal> {
  for (const variant of variants(words)) {
    const refusal = await checkVariant(variant, checkout);
    if (refusal !== null) return refusal;
  }
  return null;
}

/**
 * Checks a command that a sentence only mentions, such as `longhaul search --branch`: its subcommands and options must
 * be exist, its arguments may be missing.
 */
export async function checkMention(words: readonly string[], checkout: Checkout): Promise<Refusal> {
  for (const variant of variants(words)) {
    const refusal = variant[0] === 'longhaul' ? await mention(variant.slice(1)) : await checkVariant(variant, checkout);
    if (refusal !== null) return refusal;
  }
  return null;
}

async function checkVariant(words: readonly string[], checkout: Checkout): Promise<Refusal> {
  const [program, ...args] = words;
  switch (program) {
    case 'longhaul':
      return parse(args);
    case 'docker': {
      const at = args.indexOf('longhaul');
      return at === -1 ? null : parse(args.slice(at + 1));
    }
    case 'npx':
      return npx(args, checkout);
    case 'npm':
      return npm(args, checkout);
    case 'node':
      return existsSync(join(checkout.root, sourceOf(args[0] ?? ''))) ? null : `no such file: ${args[0]}`;
    case '.ci/run':
      return existsSync(join(checkout.root, program)) ? null : 'no such file';
    default:
      return null;
  }
}

/** Checks that the real program accepts the arguments. Nothing is executed. */
async function parse(args: readonly string[]): Promise<Refusal> {
  if (args[0] === 'COMMAND') return null;
  const io = memoryIo();
  const exitCode = await createProgram({ io, execute: () => 0 }).run(args);
  return exitCode === 0 ? null : io.err().trim();
}

async function mention(args: readonly string[]): Promise<Refusal> {
  const refusal = await parse(args);
  if (refusal === null) return null;
  const { command: program } = createProgram({ io: memoryIo() });
  let command: Command = program;
  for (const word of args) {
    if (word.startsWith('--')) {
      const known = [...command.options, ...program.createHelp().visibleOptions(program)];
      if (known.some((option) => option.long === word)) continue;
      // it may belong to the default command of a group, which only the parser resolves
      if (!refusal.includes('argument missing')) return `unknown option ${word}`;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next !== undefined) command = next;
    // a group of commands accepts no other word, except groups that are commands themselves
    else if (command.commands.length > 0 && command.registeredArguments.length === 0) return `unknown command ${word}`;
  }
  return null;
}

async function npm(args: readonly string[], checkout: Checkout): Promise<Refusal> {
  const [verb = '', ...rest] = args;
  // commands of npm itself
  if (!['run', 'test', 'start'].includes(verb)) return null;
  const script = verb === 'run' ? (rest.shift() ?? '') : verb;
  if (!Object.hasOwn(checkout.scripts, script)) return `package.json has no script ${script}`;
  const own = rest[0] === '--' ? rest.slice(1) : rest;
  switch (script) {
    case 'longhaul':
      return parse(own);
    case 'start':
      return readScene([...own, '--help']).then(() => null, String);
    case 'bench': {
      const options = readBenchOptions(own);
      return typeof options === 'string' ? options : unknownOf(options.names, Object.keys(BENCHMARKS));
    }
    default:
      return checkout.scripts[script]?.includes('scripts/test.mjs') === true ? vitest(own, checkout) : null;
  }
}

function npx(args: readonly string[], checkout: Checkout): Promise<Refusal> | Refusal {
  const [program, ...rest] = args;
  if (program === 'longhaul') return parse(rest);
  if (program === 'vitest') return vitest(rest.slice(1), checkout);
  return null;
}

/** Checks that projects exist, and that filters match at least one file. */
function vitest(args: readonly string[], { root, projects }: Checkout): Refusal {
  const files = globSync('test/**/*.test.ts', { cwd: root });
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--project') {
      const name = args[++at] ?? '';
      if (!projects.includes(name)) return `no project of tests is called ${name}`;
    } else if (!word.startsWith('-') && !files.some((file) => file.includes(word))) return `no test is in ${word}`;
  }
  return null;
}

function unknownOf(names: readonly string[], known: readonly string[]): Refusal {
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.length === 0 ? null : `unknown: ${unknown.join(', ')}`;
}

/** `dist/workers/main.js` is built from `workers/main.ts`. */
function sourceOf(path: string): string {
  return path.startsWith('dist/') ? path.slice('dist/'.length).replace(/\.js$/, '.ts') : path;
}

/** Expands usage notation to commands: `a [--b] c|d` is `a --b c` and `a --b d`. */
function variants(words: readonly string[]): readonly (readonly string[])[] {
  return words.reduce<readonly (readonly string[])[]>(
    (all, word) => {
      const plain = word.replace(/^\[(.*)\]$/, '$1').replace(/\.\.\.$|…$/, '');
      if (plain === '') return all;
      const choices = /^[\w-]+(\|[\w-]+)+$/.test(plain) ? plain.split('|') : [plain];
      return all.flatMap((one) => choices.map((choice) => [...one, choice]));
    },
    [[]],
  );
}
