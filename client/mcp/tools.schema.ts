import { z } from 'zod';

const text = (longest: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((value) => !value.includes('\0'), 'must not contain NUL');
const whole = (low: number, high: number): z.ZodInt => z.int().min(low).max(high);

const repositoryId = text(300).describe(
  'Repository id as search_code and list_repositories give it: provider/org/repo or provider/org/project/repo.',
);
const pattern = text(300).describe(
  'Only repositories that match: repo, org/repo or org/project/repo, with the wildcards * and ?; also a whole repository id.',
);
const pathGlob = text(500);
const branch = text(200).describe('A branch that is indexed: list_repositories lists them. Default: HEAD.');
/** A path of 4,096 characters, each up to three bytes or an escape of six, in base64url. */
const cursor = text(40_000).describe('`nextCursor` of the previous answer, as it is, for what comes after it.');

/** Arguments of `search_code`. */
export const searchCodeInput = z.strictObject({
  query: text(2_000).describe(
    'What to look for: identifiers, words, or a question in plain language. Both words and meaning count.',
  ),
  repository_pattern: pattern.optional(),
  language: text(100).optional().describe('Only this language, such as TypeScript, Python, Go, C++.'),
  path_glob: pathGlob.optional().describe('Only files whose path in the repository matches, such as src/**/*.ts.'),
  branch: branch.optional(),
  limit: whole(1, 50).default(10).describe('Results at most.'),
});

/** Arguments of `read_file`. */
export const readFileInput = z.strictObject({
  repository: repositoryId,
  path: text(4_096).describe('Path in the repository, with /, such as src/index.ts.'),
  branch: branch.optional(),
  start_line: whole(1, 100_000_000).default(1).describe('First line, counted from 1.'),
  end_line: whole(1, 100_000_000).optional().describe('Last line, included. Left out: as many as fit in one answer.'),
});

/** Arguments of `list_files`. */
export const listFilesInput = z.strictObject({
  repository: repositoryId,
  path_glob: pathGlob.optional().describe('Only paths that match, such as src/** or **/*.md.'),
  branch: branch.optional(),
  limit: whole(1, 1_000).default(200).describe('Paths at most.'),
  cursor: cursor.optional(),
});

/** Arguments of `list_repositories`. */
export const listRepositoriesInput = z.strictObject({
  pattern: pattern.optional(),
  limit: whole(1, 500).default(100).describe('Repositories at most.'),
  cursor: cursor.optional(),
});

/** Arguments of `index_freshness`. */
export const indexFreshnessInput = z
  .strictObject({
    repository: repositoryId.optional(),
    pattern: pattern.optional(),
    limit: whole(1, 200).default(50).describe('Repositories at most: each is asked where its HEAD is.'),
    cursor: cursor.optional(),
  })
  .refine(({ repository, pattern: given }) => repository === undefined || given === undefined, {
    message: 'give repository or pattern, not both',
  });

const commit = z.string().describe('The commit that the index is of.');
const lineNumber = z.number().describe('Counted from 1.');
const nextCursor = z.string().nullable().describe('Give it as `cursor` for more; null when this is all.');
const source = z
  .enum(['git', 'index'])
  .describe('git: read at the commit; index: put together from the index, because git does not have it.');

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
      symbols: z.array(z.string()).describe('Definitions in this piece.'),
      score: z.number().describe('The higher the better; no fixed range, comparable within one answer only.'),
      snippet: z.string().describe('The code from startLine to endLine.'),
      commit,
    }),
  ),
  omitted: z.number().describe('Results left out because the answer would be too large.'),
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
  truncated: z.boolean().describe('True when lines that were asked for, or the ends of long lines, are left out.'),
  nextLine: z.number().nullable().describe('Give it as start_line for the rest; null when the file ends here.'),
  text: z.string().describe('The lines, without numbers.'),
});

/** Answer of `list_files`. */
export const listFilesOutput = z.object({
  repository: z.string(),
  commit,
  source,
  total: z.number().describe('Files that match.'),
  files: z.array(z.string()),
  nextCursor,
});

/** What the receipt of a repository says. */
const indexed = z.object({
  id: z.string(),
  commit: commit.nullable().describe('Null while it is being indexed for the first time, or removed.'),
  branch: z.string().nullable(),
  indexedAt: z.string().nullable().describe('ISO 8601.'),
});
const totalRepositories = z.number().describe('Indexed repositories that match.');

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
      head: z.string().nullable().describe('The commit that HEAD is at now; null when that cannot be known.'),
      headBranch: z.string().nullable(),
      behind: z.boolean().nullable().describe('True when the index is not of HEAD; null when HEAD is not known.'),
      problem: z.string().nullable().describe('Why HEAD is not known.'),
      unfinished: z.string().nullable().describe('The commit that a run, under way or interrupted, is on its way to.'),
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
