import type { Argument, Command, Option } from 'commander';
import { type Suggestion, readerOf, type ReadValues } from './values.ts';

/** What can stand at the cursor. */
export type Completions =
  /** One of these words. */
  | { readonly kind: 'words'; readonly words: readonly Suggestion[] }
  /** A value that is read, after a `prefix` such as `--repo=` that belongs to the same word. */
  | { readonly kind: 'values'; readonly read: ReadValues; readonly prefix: string }
  /** A path, which the shell completes. */
  | { readonly kind: 'file' | 'folder' }
  /** Something that cannot be completed. */
  | { readonly kind: 'nothing' };

/** A command line up to the cursor. */
export interface CommandLineState {
  readonly completions: Completions;
  /** The values of options of the whole program, such as `--config`, by their names. */
  readonly given: Readonly<Record<string, string>>;
}

const NOTHING: Completions = { kind: 'nothing' };

/** What completes `current`, the word at the cursor, after `words`, the words before it without the program's name. */
export function completionsOf(program: Command, words: readonly string[], current: string): CommandLineState {
  const given: Record<string, string> = {};
  const used = new Set<Option>();
  let command = program;
  let values = 0;
  let onlyValues = false;
  /** The option whose value comes next, and whether it has one already. */
  let open: { readonly option: Option; filled: boolean } | null = null;

  for (const word of words) {
    if (open !== null && !(open.filled && word.startsWith('-'))) {
      if (program.options.includes(open.option)) given[open.option.attributeName()] = word;
      if (open.option.variadic) open.filled = true;
      else open = null;
      continue;
    }
    open = null;
    if (!onlyValues && word === '--') {
      onlyValues = true;
    } else if (!onlyValues && word.startsWith('-')) {
      const [name, value] = splitOption(word);
      const option = optionNamed(name, command);
      if (option === undefined) continue;
      used.add(option);
      if (value !== undefined && program.options.includes(option)) given[option.attributeName()] = value;
      if (value === undefined && (option.required || option.optional)) open = { option, filled: false };
    } else {
      const next = values > 0 || onlyValues ? undefined : commandsOf(command).find((each) => each.name() === word);
      if (next === undefined) values++;
      else command = next;
    }
  }

  const isOption = !onlyValues && current.startsWith('-');
  if (open !== null && !(open.filled && isOption)) return { completions: valuesOf(open.option, ''), given };
  if (!isOption) return { completions: argumentOf(command, values), given };
  const [name, value] = splitOption(current);
  const option = optionNamed(name, command);
  if (value !== undefined) {
    return { completions: option === undefined ? NOTHING : valuesOf(option, `${name}=`), given };
  }
  const left = optionsOf(command).filter((each) => each.variadic || !used.has(each));
  const named = left.flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
  return { completions: { kind: 'words', words: named }, given };
}

/** `--repo=local` is a name and a value. */
function splitOption(word: string): [string, string?] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function commandsOf(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

/** The options that a command takes: its own, and those of the commands above it. */
function optionsOf(command: Command): readonly Option[] {
  const own = command.createHelp().visibleOptions(command);
  const inherited: Option[] = [];
  for (let above = command.parent; above !== null; above = above.parent) {
    inherited.push(...above.options.filter(({ long }) => long !== '--version'));
  }
  return [...own, ...inherited];
}

function optionNamed(name: string, command: Command): Option | undefined {
  return optionsOf(command).find(({ short, long }) => name === long || name === short);
}

/** A subcommand, or the value of the argument after `before` others. */
function argumentOf(command: Command, before: number): Completions {
  const subcommands = before > 0 ? [] : commandsOf(command);
  if (subcommands.length > 0) {
    const words = subcommands.map((each) => ({ value: each.name(), description: each.description() }));
    return { kind: 'words', words };
  }
  const { registeredArguments: all } = command;
  const last = all.at(-1);
  const argument = all[before] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? NOTHING : valuesOf(argument, '');
}

function valuesOf(item: Option | Argument, prefix: string): Completions {
  const read = readerOf(item);
  if (read !== undefined) return { kind: 'values', read, prefix };
  if (item.argChoices !== undefined) {
    return { kind: 'words', words: item.argChoices.map((each) => ({ value: `${prefix}${each}`, description: '' })) };
  }
  const name = 'flags' in item ? item.flags : item.name();
  if (/\bfile\b/.test(name.replace(/^.*[<[]/, ''))) return { kind: 'file' };
  if (/\b(?:dir|folder)\b/.test(name.replace(/^.*[<[]/, ''))) return { kind: 'folder' };
  return NOTHING;
}
