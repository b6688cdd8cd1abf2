import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

/** A command of a shell script: its words, without quotes. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** Line of the script on which it begins, from 0. */
  readonly line: number;
}

/** Reads the commands of shell scripts, including those in pipes and substitutions. */
export async function createShellReader(): Promise<(script: string) => readonly ShellCommand[]> {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(
    await Language.load(createRequire(import.meta.url).resolve('tree-sitter-bash/tree-sitter-bash.wasm')),
  );
  return (script) => {
    const tree = parser.parse(script);
    const commands = tree?.rootNode.descendantsOfType('command') ?? [];
    return commands
      .filter((command) => command !== null)
      .map((command) => ({
        line: command.startPosition.row,
        words: command.children
          .filter((child) => child !== null)
          .filter(({ type }) => !['variable_assignment', 'comment'].includes(type))
          .map(wordOf),
      }));
  };
}

/** The text of a word as the program gets it; shell expansions stay as written. */
function wordOf({ type, text }: Node): string {
  return type === 'string' || type === 'raw_string' ? text.slice(1, -1) : text;
}
