import type { z } from 'zod';

/** Checks a value that people wrote, or programs sent: as `safeParse` does, with messages for people in place of zod's own. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  return schema.safeParse(value, { error: wordsFor });
}

/** The first thing that is wrong with a value, as one sentence that names the field. */
export function describeIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'the input is wrong';
  if (issue.code === 'unrecognized_keys') return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  return aboutField(issue.path.map(String).join('.'), issue.message);
}

/** What is said of a field, as one sentence: `name is missing`, `patterns: give at least one pattern`. */
export function aboutField(field: string, said: string): string {
  if (field === '') return said;
  return /^(is|must) /.test(said) ? `${field} ${said}` : `${field}: ${said}`;
}

/** What is wrong, where the schema has no words of its own for it; undefined where zod's are to stand. */
function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return wordsForType(issue.expected, issue.input);
    case 'invalid_value':
      return issue.input === undefined ? 'is missing' : `must be ${anyOf(issue.values)}`;
    case 'invalid_union':
      return wordsForUnion(issue);
    case 'too_small':
      return wordsForSize(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return wordsForSize(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_format':
      return FORMATS[issue.format];
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'must be an address such as https://example.com',
  email: 'must be an e-mail address',
};

function wordsForType(expected: string, input: unknown): string | undefined {
  if (input === undefined) return 'is missing';
  // what YAML makes of a key without a value
  if (input === null) return 'is empty';
  const wanted = TYPES[expected];
  if (wanted === undefined) return undefined;
  const given = TYPES[Array.isArray(input) ? 'array' : typeof input];
  return `must be ${wanted}${given === undefined || (expected === 'int' && given === 'a number') ? '' : `, not ${given}`}`;
}

function wordsForUnion(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string | undefined {
  const { discriminator, options, errors, input } = issue;
  if (input === undefined) return 'is missing';
  if (discriminator !== undefined && Array.isArray(options)) {
    const isThere = typeof input === 'object' && input !== null && Object.hasOwn(input, discriminator);
    return isThere ? `must be ${anyOf(options)}` : `is missing: give ${anyOf(options)}`;
  }
  // what is of the right type says most
  const found = errors.flat();
  return (found.find(({ code }) => code !== 'invalid_type') ?? found[0])?.message;
}

function wordsForSize(origin: string, size: number | bigint, compared: string): string | undefined {
  switch (origin) {
    case 'string':
      return compared === 'at least' && size === 1 ? 'is empty' : `must have ${compared} ${size} characters`;
    case 'array':
      return `must have ${compared} ${size} ${size === 1 ? 'item' : 'items'}`;
    case 'number':
    case 'int':
      return `must be ${compared} ${size}`;
    default:
      return undefined;
  }
}

function anyOf(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`;
}
