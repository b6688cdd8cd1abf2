import Table from 'cli-table3';
import { styleText } from 'node:util';

/** The stages of a run, with their durations. */
export interface Stages {
  /** Announces a stage, runs it, and records its duration. `done` turns its result into text for the table. */
  stage<T>(name: string, work: () => Promise<T>, done: (result: T) => string): Promise<T>;
  /** The table of all stages. */
  table(): string;
}

/** Starts an empty list of stages; announcements go to `print`. */
export function newStages(print: (line: string) => void): Stages {
  const rows: [string, string, string][] = [];
  const began = performance.now();
  return {
    async stage(name, work, done) {
      print(styleText('bold', `▸ ${name}`));
      const start = performance.now();
      const result = await work();
      const what = done(result);
      rows.push([name, what, seconds(start)]);
      print(`  ${what} ${styleText('dim', `(${seconds(start)} s)`)}`);
      return result;
    },
    table() {
      const table = new Table({
        head: ['stage', 'what', 'seconds'],
        colAligns: ['left', 'left', 'right'],
        style: { head: [], border: [], compact: true },
      });
      table.push(...rows, ['total', '', seconds(began)]);
      return table.toString();
    },
  };
}

function seconds(start: number): string {
  return ((performance.now() - start) / 1_000).toFixed(1);
}
