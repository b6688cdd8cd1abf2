import type { z } from 'zod';

/** Like `safeParse`, for values from people or other programs, with readable messages instead of zod's. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  return schema.safeParse(value, { error: wordsFor });
}

/** The first problem of a value, as one sentence that names the field. */
export function describeIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'the input is wrong';
  if (issue.code === 'unrecognized_keys') return `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  return aboutField(issue.path.map(String).join('.'), issue.message);
}

/** One sentence about a field: `name is missing`, `patterns: give at least one pattern`. */
export function aboutField(field: string, said: string): string {
  if (field === '') return said;
  return /^(is|must) /.test(said) ? `${field} ${said}` : `${field}: ${said}`;
}

/** The message for an issue without a custom one; undefined to use zod's. */
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
    case 'invalid_key':
      return issue.issues[0]?.message;
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
  // a YAML key without a value is null
  if (input === null) return 'is empty';
  const typeName = TYPES[expected];
  if (typeName === undefined) return undefined;
  const given = TYPES[Array.isArray(input) ? 'array' : typeof input];
  return `must be ${typeName}${given === undefined || (expected === 'int' && given === 'a number') ? '' : `, not ${given}`}`;
}

function wordsForUnion(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string | undefined {
  const { discriminator, options, errors, input } = issue;
  if (input === undefined) return 'is missing';
  if (discriminator !== undefined && Array.isArray(options)) {
    const isThere = typeof input === 'object' && input !== null && Object.hasOwn(input, discriminator);
    return isThere ? `must be ${anyOf(options)}` : `is missing: give ${anyOf(options)}`;
  }
  // the option with the right type gives the best message
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
