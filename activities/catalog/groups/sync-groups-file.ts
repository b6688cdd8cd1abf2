import { readFileSync, statSync } from 'node:fs';
import { Cron } from 'croner';
import { hasWildcard, parsePattern, type Pattern, patternsOverlap } from '../../../domain/git/pattern.ts';
import { MOST_DECLARED_BYTES, type SyncGroup } from '../../../domain/catalog/groups/sync-groups.ts';
import { syncGroupsFile } from '../../../domain/catalog/groups/sync-groups.schema.ts';
import { aboutField, check } from '../../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { nearestKey, parseYaml } from '../../shared/yaml-document.ts';

/** What `sync-groups.yaml` declares. */
export interface DeclaredGroups {
  readonly groups: readonly SyncGroup[];
  /** Valid but probably mistaken declarations, each with file and line. */
  readonly warnings: readonly string[];
}

/** Context for reading a declaration. */
export interface DeclarationReader {
  /** The name of the file in messages. */
  readonly file: string;
  /** Names of the configured providers, which patterns may begin with. */
  readonly providers: readonly string[];
}

/** Comparisons of patterns that take no more than a second or two; those of wildcards count as several. */
const MOST_COMPARISONS = 5_000_000;
/** Maximum number of problems in one message. */
const MOST_PROBLEMS = 20;

/** The text of a declaration. Throws `InvalidInput` when there is no such file, `InvalidConfiguration` when it is large. */
export function readDeclaration(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new LonghaulError('InvalidInput', `--file: there is no file ${file}.`);
  if (found.isDirectory()) throw new LonghaulError('InvalidInput', `--file: ${file} is a folder: give a file in it.`);
  if (found.size > MOST_DECLARED_BYTES) throw refusal([tooLarge(file)]);
  return readFileSync(file, 'utf8');
}

/**
 * Parses a declaration of groups (docs/sync-groups.md). Throws `InvalidConfiguration` that lists every problem with its
 * file and line.
 */
export function parseSyncGroups(text: string, { file, providers }: DeclarationReader): DeclaredGroups {
  if (Buffer.byteLength(text) > MOST_DECLARED_BYTES) throw refusal([tooLarge(file)]);
  const document = parseYaml(text, file);
  const at = (keys: readonly PropertyKey[]): string => [file, document.lineOf(keys)].filter(Boolean).join(':');
  const parsed = check(syncGroupsFile, document.value);
  if (!parsed.success) {
    // one problem for each unknown key; only those that are shown are described
    const problems = parsed.error.issues.flatMap((issue: Issue) => keysOf(issue).map((key) => ({ issue, key })));
    const shown = problems.slice(0, MOST_PROBLEMS).map(({ issue, key }) => describe(issue, key, at));
    throw refusal(shown, problems.length);
  }
  const { groups } = parsed.data;
  const problems = [
    ...repeated(groups.map(({ name }) => name)).map(
      ({ index, value }) => `${at(['groups', index, 'name'])}: there is another group with the name "${value}".`,
    ),
    ...groups.flatMap(({ schedule }, index) => {
      const problem = problemOfSchedule(schedule);
      return problem === null ? [] : [`${at(['groups', index, 'schedule'])}: ${problem}`];
    }),
  ];
  const patterns: PlacedPattern[] = [];
  for (const [index, group] of groups.entries()) {
    for (const field of ['patterns', 'exclude'] as const) {
      for (const { index: which, value } of repeated(group[field])) {
        problems.push(`${at(['groups', index, field, which])}: the pattern "${value}" is listed twice.`);
      }
      for (const [which, written] of group[field].entries()) {
        const place = at(['groups', index, field, which]);
        try {
          const pattern = parsePattern(written, providers);
          if (field === 'patterns') patterns.push({ group: group.name, place, pattern });
        } catch (error) {
          problems.push(`${place}: ${(error as Error).message}`);
        }
      }
    }
  }
  if (problems.length > 0) throw refusal(problems);
  return { groups, warnings: overlapsAmong(patterns) };
}

function tooLarge(file: string): string {
  return `${file}: the file is larger than ${MOST_DECLARED_BYTES} bytes.`;
}

/** What is wrong with a cron expression for Temporal's schedules; null when it is valid. */
function problemOfSchedule(schedule: string): string | null {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) {
    return `"${schedule}" has ${fields.length} fields: write minute, hour, day of the month, month and day of the week.`;
  }
  try {
    // L, W and # are extensions of other programs
    if (!/^[\d*,/\-a-z\s]+$/i.test(schedule) || /\d[lw]|\bl\b/i.test(schedule)) throw new Error('unknown character');
    const cron = new Cron(schedule, { mode: '5-part', paused: true });
    if (cron.nextRun() === null) return `"${schedule}" never runs: there is no such day.`;
  } catch {
    return `"${schedule}" is not a valid cron expression: write minute, hour, day of the month, month and day of the week.`;
  }
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if (dayOfMonth !== '*' && dayOfWeek !== '*') {
    return `"${schedule}" has days of the month and of the week: cron runs on either, Temporal only on both. Make two groups.`;
  }
  return null;
}

interface PlacedPattern {
  readonly group: string;
  readonly place: string;
  readonly pattern: Pattern;
}

/**
 * Warnings about patterns of two groups that can match the same repository, so that both would sync it. Each pattern is
 * compared with all earlier ones, up to a limit on the total work.
 */
function overlapsAmong(patterns: readonly PlacedPattern[]): string[] {
  const warnings: string[] = [];
  let left = MOST_COMPARISONS;
  for (const [index, { group, place, pattern }] of patterns.entries()) {
    const other = patterns.slice(0, index).find((one) => {
      if (one.group === group || left < 0) return false;
      left -= isLiteral(one.pattern) || isLiteral(pattern) ? 1 : one.pattern.text.length * pattern.text.length;
      return patternsOverlap(one.pattern, pattern);
    });
    if (left < 0) return [...warnings, `${place}: this pattern and those below it were not compared with the others.`];
    if (other) {
      warnings.push(
        `${place}: "${pattern.text}" can match repositories that "${other.pattern.text}" of the group "${other.group}" matches too.`,
      );
    }
  }
  return warnings;
}

function isLiteral({ text }: Pattern): boolean {
  return !hasWildcard(text);
}

/** The repeated values and their positions. */
function repeated(values: readonly string[]): { index: number; value: string }[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    const key = value.toLowerCase();
    if (seen.has(key)) return [{ index, value }];
    seen.add(key);
    return [];
  });
}

type Issue = Readonly<{ code?: string; message: string; path: readonly PropertyKey[]; keys?: readonly string[] }>;

const FILE_KEYS = Object.keys(syncGroupsFile.shape);
const GROUP_KEYS = Object.keys(syncGroupsFile.shape.groups.element.in.shape);

function keysOf({ code, keys = [] }: Issue): readonly (string | null)[] {
  return code === 'unrecognized_keys' ? keys : [null];
}

function describe({ path, message }: Issue, key: string | null, at: (keys: readonly PropertyKey[]) => string): string {
  if (key !== null) {
    const known = path.length === 0 ? FILE_KEYS : GROUP_KEYS;
    return `${at([...path, key])}: unknown key "${key}"${nearestKey(key, known)}`;
  }
  const [, , field] = path;
  return `${at(path)}: ${aboutField(path.length === 0 ? 'the document' : String(field ?? path.at(-1)), message)}.`;
}

function refusal(problems: readonly string[], total = problems.length): LonghaulError {
  const shown = problems.slice(0, MOST_PROBLEMS);
  const more = total - shown.length;
  return new LonghaulError('InvalidConfiguration', [...shown, ...(more > 0 ? [`and ${more} more.`] : [])].join('\n'));
}
