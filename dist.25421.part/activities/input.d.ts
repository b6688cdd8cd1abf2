/** Activities that need nothing outside: they run in the worker of the flow itself. */
export interface InputActivities {
    /**
     * The input of a flow with its defaults filled in. Throws `InvalidInput` that names the field.
     */
    checkInput(request: {
        readonly flow: string;
        readonly input: unknown;
    }): Promise<unknown>;
}
/** See {@link InputActivities}. */
export declare function createInputActivities(): InputActivities;
/** Checks an input as {@link InputActivities.checkInput} does; the command line uses it before it starts a flow. */
export declare function parseFlowInput(flow: string, input: unknown): unknown;
