import { distance } from 'fastest-levenshtein';
import { z } from 'zod';

const text = (longest: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((value) => !value.includes('\0'), 'must not contain NUL');
/** A whole number, or its digits: some clients send every argument as text. */
const whole = (low: number, high: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\s*-?\d{1,15}\s*$/.test(value) ? Number(value) : value),
    z.int().min(low).max(high),
  );

const repositoryId = text(300).describe(
  'Repository id as in the answers of search_code and list_repositories: provider/org/repo or provider/org/project/repo.',
);
const pattern = text(300).describe(
  'Only repositories that match: repo, org/repo or org/project/repo, with the wildcards * and ?; or a full repository id.',
);
const pathGlob = text(500);
const branch = text(200).describe('A branch that is indexed: list_repositories lists them. Default: HEAD.');
/** A path of 4,096 characters, each up to three bytes or an escape of six, in base64url. */
const cursor = text(40_000).describe('`nextCursor` of the previous answer, unchanged, to get the next page.');

/**
 * The arguments of a tool. Many clients send `null` or an empty text for what the model left out: both are left out.
 * Unknown arguments are ignored, unless they look like a misspelled one, which the answer then names.
 */
function toolInput<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  const input = z
    .looseObject(shape)
    // for the model, which should not invent any
    .meta({ additionalProperties: false })
    .superRefine((given, context) => {
      for (const name of Object.keys(given)) {
        const meant = known.includes(name) ? undefined : known.find((each) => isLike(name, each));
        if (meant === undefined) continue;
        context.addIssue({ code: 'custom', path: [name], message: `is not an argument: did you mean ${meant}?` });
      }
    });
  return z.preprocess(withoutEmpty, input);
}

function withoutEmpty(given: unknown): unknown {
  if (given === null) return {};
  if (typeof given !== 'object' || Array.isArray(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== ''));
}

function isLike(name: string, known: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  const meant = known.replaceAll('_', '');
  const isPart = plain.length >= 3 && known.split('_').some((part) => part.startsWith(plain));
  return isPart || distance(plain, meant) <= 1;
}

/** Names of the arguments in an input that are not arguments of its tool. */
export function ignoredArguments(schema: { readonly out: { readonly shape: object } }, input: object): string[] {
  return Object.keys(input).filter((name) => !(name in schema.out.shape));
}

/** Arguments of `search_code`. */
export const searchCodeInput = toolInput({
  query: text(2_000).describe(
    'What to search for: identifiers, words, or a question in plain language. Results match by words and by meaning.',
  ),
  repository_pattern: pattern.optional(),
  language: text(100).optional().describe('Only this language, such as TypeScript, Python, Go, C++.'),
  path_glob: pathGlob.optional().describe('Only files whose path in the repository matches, such as src/**/*.ts.'),
  branch: branch.optional(),
  limit: whole(1, 50).default(10).describe('Maximum number of results.'),
});

/** Arguments of `read_file`. */
export const readFileInput = toolInput({
  repository: repositoryId,
  path: text(4_096).describe('Path in the repository, separated by /, such as src/index.ts.'),
  branch: branch.optional(),
  start_line: whole(1, 100_000_000).default(1).describe('First line, counted from 1.'),
  end_line: whole(1, 100_000_000)
    .optional()
    .describe('Last line, inclusive. Default: as many lines as fit in one answer.'),
});

/** Arguments of `list_files`. */
export const listFilesInput = toolInput({
  repository: repositoryId,
  path_glob: pathGlob.optional().describe('Only paths that match, such as src/** or **/*.md.'),
  branch: branch.optional(),
  limit: whole(1, 1_000).default(200).describe('Maximum number of paths.'),
  cursor: cursor.optional(),
});

/** Arguments of `list_repositories`. */
export const listRepositoriesInput = toolInput({
  pattern: pattern.optional(),
  limit: whole(1, 500).default(100).describe('Maximum number of repositories.'),
  cursor: cursor.optional(),
});

/** Arguments of `index_freshness`. */
export const indexFreshnessInput = toolInput({
  repository: repositoryId.optional(),
  pattern: pattern.optional(),
  limit: whole(1, 200).default(50).describe('Maximum number of repositories; HEAD of each is looked up.'),
  cursor: cursor.optional(),
});

const commit = z.string().describe('The indexed commit.');
const lineNumber = z.number().describe('Counted from 1.');
const nextCursor = z.string().nullable().describe('Pass it as `cursor` to get the next page; null on the last page.');
const source = z
  .enum(['git', 'index'])
  .describe('git: read from git at the commit; index: assembled from the index, because git could not provide it.');

/** Answer of `search_code`. */
export const searchCodeOutput = z.object({
  query: z.string(),
  tookMs: z.number(),
  results: z.array(
    z.object({
      repo: z.string().describe('Repository id.'),
      path: z.string(),
      startLine: lineNumber,
      endLine: lineNumber,
      language: z.string(),
      symbols: z.array(z.string()).describe('Definitions in this part of the file.'),
      score: z.number().describe('Higher is better; no fixed range, comparable only within one answer.'),
      snippet: z.string().describe('The code from startLine to endLine.'),
      commit,
    }),
  ),
  omitted: z.number().describe('Number of results omitted because the answer would be too large.'),
  reason: z.string().optional().describe('Why there are no results; present only then.'),
});

/** Answer of `read_file`. */
export const readFileOutput = z.object({
  repository: z.string(),
  path: z.string(),
  commit,
  source,
  startLine: lineNumber,
  endLine: lineNumber.describe('Last line of this answer; startLine - 1 when the file is empty.'),
  totalLines: z.number(),
  truncated: z.boolean().describe('True when requested lines, or the ends of long lines, are omitted.'),
  nextLine: z.number().nullable().describe('Pass it as start_line to continue; null when the file ends here.'),
  text: z.string().describe('The lines, without numbers.'),
});

/** Answer of `list_files`. */
export const listFilesOutput = z.object({
  repository: z.string(),
  commit,
  source,
  total: z.number().describe('Number of matching files.'),
  files: z.array(z.string()),
  nextCursor,
});

/** The indexed state of a repository. */
const indexed = z.object({
  id: z.string(),
  commit: commit.nullable().describe('Null while it is being indexed for the first time, or removed.'),
  branch: z.string().nullable(),
  indexedAt: z.string().nullable().describe('ISO 8601.'),
});
const totalRepositories = z.number().describe('Number of matching indexed repositories.');

/** Answer of `list_repositories`. */
export const listRepositoriesOutput = z.object({
  total: totalRepositories,
  repositories: z.array(
    indexed.extend({
      branches: z.array(z.string()).describe('Branches that are indexed in addition to HEAD.'),
      files: z.number().describe('At HEAD.'),
      objects: z.number().describe('At HEAD.'),
    }),
  ),
  nextCursor,
});

/** Answer of `index_freshness`. */
export const indexFreshnessOutput = z.object({
  total: totalRepositories,
  repositories: z.array(
    indexed.extend({
      head: z.string().nullable().describe('The current commit of HEAD; null when it is unknown.'),
      headBranch: z.string().nullable(),
      behind: z
        .boolean()
        .nullable()
        .describe('True when the indexed commit is not that of HEAD; null when HEAD is unknown.'),
      problem: z.string().nullable().describe('Why HEAD is unknown.'),
      unfinished: z.string().nullable().describe('The target commit of a run that is in progress or was interrupted.'),
    }),
  ),
  nextCursor,
});

/** Arguments of `search_code`. */
export type SearchCodeInput = z.output<typeof searchCodeInput>;
/** Answer of `search_code`. */
export type SearchCodeOutput = z.output<typeof searchCodeOutput>;
/** Arguments of `read_file`. */
export type ReadFileInput = z.output<typeof readFileInput>;
/** Answer of `read_file`. */
export type ReadFileOutput = z.output<typeof readFileOutput>;
/** Arguments of `list_files`. */
export type ListFilesInput = z.output<typeof listFilesInput>;
/** Answer of `list_files`. */
export type ListFilesOutput = z.output<typeof listFilesOutput>;
/** Arguments of `list_repositories`. */
export type ListRepositoriesInput = z.output<typeof listRepositoriesInput>;
/** Answer of `list_repositories`. */
export type ListRepositoriesOutput = z.output<typeof listRepositoriesOutput>;
/** Arguments of `index_freshness`. */
export type IndexFreshnessInput = z.output<typeof indexFreshnessInput>;
/** Answer of `index_freshness`. */
export type IndexFreshnessOutput = z.output<typeof indexFreshnessOutput>;
