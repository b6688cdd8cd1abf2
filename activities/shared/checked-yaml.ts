import { z } from 'zod';
import { aboutField, check } from '../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { nearestKey, parseYaml } from './yaml-document.ts';

/** A YAML file that was compared with its schema. */
export interface CheckedYaml<Value> {
  /** The value as the schema reads it; null when there are problems. */
  readonly value: Value | null;
  /** The value as the file has it; undefined when it cannot be parsed. */
  readonly given: unknown;
  /** Every problem as one sentence with file and line: `policy.yaml:7: policies.0.name is missing.` */
  readonly problems: readonly string[];
  /** `file:line` of the value at a path, or of its nearest parent. */
  readonly at: (keys: readonly PropertyKey[]) => string;
}

/** Larger files are refused before they are parsed. */
const MOST_BYTES = 1_000_000;

/** Compares a YAML file with a schema. Unknown keys are reported with the nearest known one. Does not throw. */
export function checkYaml<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
): CheckedYaml<z.output<Schema>> {
  if (Buffer.byteLength(text) > MOST_BYTES)
    return refused(file, `${file}: the file is larger than ${MOST_BYTES} bytes.`);
  let document;
  try {
    document = parseYaml(text, file);
  } catch (error) {
    if (!(error instanceof LonghaulError)) throw error;
    return refused(file, error.message);
  }
  const { value, lineOf } = document;
  const at = (keys: readonly PropertyKey[]): string => [file, lineOf(keys)].filter(Boolean).join(':');
  const parsed = check(schema, value);
  if (parsed.success) return { value: parsed.data, given: value, problems: [], at };
  const problems = parsed.error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      const field = issue.path.map(String).join('.');
      return [`${at(issue.path)}: ${aboutField(field || 'the document', issue.message)}.`];
    }
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${at(path)}: unknown key "${path.map(String).join('.')}"${nearestKey(key, known)}`;
    });
  });
  return { value: null, given: value, problems: problems.map((one) => one.replace(/\.\.$/, '.')), at };
}

function refused(file: string, problem: string): CheckedYaml<never> {
  return { value: null, given: undefined, problems: [problem], at: () => file };
}

/** The keys that a schema knows at a path. */
function keysAt(schema: z.core.$ZodType, [key, ...rest]: readonly PropertyKey[]): string[] {
  const options = optionsOf(schema);
  if (key === undefined) return options.flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : []));
  return options.flatMap((one) => {
    if (one instanceof z.ZodObject) {
      const field = (one.shape as Record<string, z.core.$ZodType | undefined>)[String(key)];
      return field === undefined ? [] : keysAt(field, rest);
    }
    if (one instanceof z.ZodArray) return keysAt(one.element, rest);
    if (one instanceof z.ZodRecord) return keysAt(one.valueType, rest);
    return [];
  });
}

/** The schemas that a value may have at this place, without wrappers such as defaults and transforms. */
function optionsOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(optionsOf);
  if (schema instanceof z.ZodPipe) return optionsOf(schema.in);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return optionsOf(schema.unwrap());
  }
  return [schema];
}
