import type { FlowRegistry } from '../../domain/shared/flow.ts';
import { parseInput } from '../../domain/shared/flow.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';

/** Activities without external dependencies: they run in the worker of the flow itself. */
export interface InputActivities {
  /** Returns the input of a flow with its defaults. Throws `InvalidInput` that names the field. */
  checkInput(request: { readonly flow: string; readonly input: unknown }): Promise<unknown>;
}

/** See {@link InputActivities}: checks the inputs of these flows. */
export function createInputActivities(flows: FlowRegistry): InputActivities {
  return {
    async checkInput({ flow: type, input }) {
      const flow = flows.find(type);
      if (flow === null) throw new LonghaulError('InvalidInput', `This worker knows no flow ${type}.`);
      return parseInput(flow, input);
    },
  };
}
