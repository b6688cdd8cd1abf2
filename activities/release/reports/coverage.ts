import type { CoveredFile } from '../../../domain/release/quality/report.ts';
import { readXml } from './xml.ts';

/** Which lines of a file were run, by their numbers. */
type Lines = Map<string, boolean>;

/** Lines, or other units, by file. A unit that several records have was run if one of them says so. */
class Coverage {
  readonly #files = new Map<string, Lines>();

  add(path: string, unit: string, isRun: boolean): void {
    const lines = this.#files.get(path) ?? new Map<string, boolean>();
    lines.set(unit, isRun || lines.get(unit) === true);
    this.#files.set(path, lines);
  }

  /** The files; `weight` is how much a unit counts. */
  files(weight: (unit: string) => number = () => 1): CoveredFile[] {
    return [...this.#files].map(([path, lines]) => {
      const units = [...lines];
      const sum = (some: typeof units): number => some.reduce((total, [unit]) => total + weight(unit), 0);
      return { path, lines: sum(units), covered: sum(units.filter(([, isRun]) => isRun)) };
    });
  }
}

/** Reads a tracefile of lcov (geninfo(1)), as c8, vitest and lcov itself write it. Throws an `Error` for another file. */
export function parseLcov(text: string): CoveredFile[] {
  const coverage = new Coverage();
  let path: string | null = null;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const [, kind = '', value = ''] = /^([A-Z]+|end_of_record)(?::(.*))?$/.exec(line) ?? [];
    if (kind === 'SF') path = value;
    else if (kind === 'end_of_record') path = null;
    else if (kind === 'DA') {
      const [, number, hits] = /^(\d+),(-?\d+)/.exec(value) ?? [];
      if (path === null || number === undefined) throw new Error(`line ${at + 1} is no record of lcov`);
      coverage.add(path, number, Number(hits) > 0);
    } else if (kind === '' && line.trim() !== '') throw new Error(`line ${at + 1} is no record of lcov`);
  }
  return coverage.files();
}

/** Reads a report of Cobertura. Throws an `Error` for another file. */
export function parseCobertura(text: string): CoveredFile[] {
  const coverage = new Coverage();
  let path: string | null = null;
  let isReport = false;
  readXml(text, {
    open({ name, attributes, parents }) {
      if (parents.length === 0) isReport = name === 'coverage';
      if (name === 'class') path = attributes['filename'] ?? null;
      // the lines of methods are named a second time, and their first lines are no lines for some tools
      if (parents.includes('method')) return;
      if (name === 'line' && path !== null && attributes['number'] !== undefined) {
        coverage.add(path, attributes['number'], Number(attributes['hits'] ?? 0) > 0);
      }
    },
  });
  if (!isReport) throw new Error('it is no report of Cobertura: its root is not coverage');
  return coverage.files();
}

/** Reads a profile of `go test -coverprofile`; it counts statements. Throws an `Error` for another file. */
export function parseGoCover(text: string): CoveredFile[] {
  const [first = '', ...blocks] = text.split(/\r?\n/);
  if (!/^mode: (set|count|atomic)$/.test(first)) throw new Error('it is no profile of Go: line 1 is not "mode: …"');
  const coverage = new Coverage();
  for (const [at, line] of blocks.entries()) {
    if (line === '') continue;
    const [, path, block, statements, count] = /^(.+):(\d+\.\d+,\d+\.\d+) (\d+) (\d+)$/.exec(line) ?? [];
    if (path === undefined) throw new Error(`line ${at + 2} is no block of a Go profile`);
    coverage.add(path, `${block} ${statements}`, Number(count) > 0);
  }
  return coverage.files((unit) => Number(unit.split(' ')[1]));
}
