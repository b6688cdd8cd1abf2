import type { CliIo } from '../../core/io.ts';

/** Asks a person questions on a terminal. */
export interface Questions {
  /** The answer, on one line; empty at the end of the input. Answers may be typed before they are asked for. */
  readonly ask: (question: string) => Promise<string>;
  readonly close: () => void;
}

/** Null when there is no terminal. */
export async function openQuestions({ stdin, stderr }: CliIo): Promise<Questions | null> {
  if (!stdin.isTTY || !stderr.isTTY) return null;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: stdin, output: stderr });
  const lines = terminal[Symbol.asyncIterator]();
  return {
    async ask(question) {
      stderr.write(question);
      const line = await lines.next();
      return line.done === true ? '' : line.value;
    },
    close: () => terminal.close(),
  };
}
