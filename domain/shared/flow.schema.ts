import { z } from 'zod';
import { check, describeIssue } from './check.schema.ts';
import { LonghaulError } from './failures.ts';
import type { CheckedOf, AnyFlow } from './flow.ts';

const inputs = new WeakMap<AnyFlow, z.ZodType>();

/** The schema of a flow's input. */
export function inputSchema(flow: AnyFlow): z.ZodType {
  const known = inputs.get(flow);
  if (known !== undefined) return known;
  const schema = flow.input(z);
  inputs.set(flow, schema);
  return schema;
}

/** The input of a flow with its defaults filled in. Throws `InvalidInput` that names flow and field. */
export function parseInput<Declared extends AnyFlow>(flow: Declared, input: unknown): CheckedOf<Declared> {
  return parseWith(inputSchema(flow), flow, input);
}

/** {@link parseInput} for a service, whose input may be restricted. */
export function parseServiceInput<Declared extends AnyFlow>(
  flow: Declared,
  input: unknown,
): CheckedOf<Declared> & object {
  return parseWith(flow.serviceInput(z), flow, input) as CheckedOf<Declared> & object;
}

function parseWith(schema: z.ZodType, { type }: AnyFlow, input: unknown): unknown {
  const result = check(schema, input ?? {});
  if (result.success) return result.data;
  throw new LonghaulError('InvalidInput', `${type}: ${describeIssue(result.error)}`);
}
