import { FLOW_INPUTS, type CheckedFlow } from '../../domain/catalog/flows/flows.schema.ts';
import { check, describeIssue } from '../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** Activities without external dependencies: they run in the worker of the flow itself. */
export interface InputActivities {
  /** Returns the input of a flow with its defaults. Throws `InvalidInput` that names the field. */
  checkInput(request: { readonly flow: string; readonly input: unknown }): Promise<unknown>;
}

/** See {@link InputActivities}. */
export function createInputActivities(): InputActivities {
  return {
    checkInput: ({ flow, input }) => Promise.resolve(parseFlowInput(flow, input)),
  };
}

/** Checks an input like {@link InputActivities.checkInput}; the command line uses it before it starts a flow. */
export function parseFlowInput(flow: string, input: unknown): unknown {
  const schema = FLOW_INPUTS[flow as CheckedFlow];
  const result = check(schema, input ?? {});
  if (result.success) return result.data;
  throw new LonghaulError('InvalidInput', `${flow}: ${describeIssue(result.error)}`);
}
