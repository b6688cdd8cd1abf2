import { describeIssue, FLOW_INPUTS } from '../domain/catalog/flows.schema.js';
import { LonghaulError } from '../domain/failures.js';
/** See {@link InputActivities}. */
export function createInputActivities() {
    return {
        checkInput: ({ flow, input }) => Promise.resolve(parseFlowInput(flow, input)),
    };
}
/** Checks an input as {@link InputActivities.checkInput} does; the command line uses it before it starts a flow. */
export function parseFlowInput(flow, input) {
    const schema = FLOW_INPUTS[flow];
    const result = schema.safeParse(input ?? {});
    if (result.success)
        return result.data;
    throw new LonghaulError('InvalidInput', `${flow}: ${describeIssue(result.error)}`);
}
//# sourceMappingURL=input.js.map