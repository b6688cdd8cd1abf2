import { z } from 'zod';
/** The inputs of the catalog's flows, by workflow type: what each flow checks before anything else. */
export declare const FLOW_INPUTS: {
    readonly onboardRepositories: z.ZodObject<{
        patterns: z.ZodArray<z.ZodString>;
        confirm: z.ZodDefault<z.ZodBoolean>;
        parallel: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>;
    readonly syncRepositories: z.ZodObject<{
        patterns: z.ZodOptional<z.ZodArray<z.ZodString>>;
        all: z.ZodDefault<z.ZodBoolean>;
        parallel: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>;
    readonly syncRepository: z.ZodObject<{
        repository: z.ZodUnion<readonly [z.ZodString, z.ZodObject<{
            id: z.ZodString;
            cloneUrl: z.ZodString;
        }, z.core.$strict>]>;
    }, z.core.$strict>;
    readonly removeRepositories: z.ZodObject<{
        patterns: z.ZodArray<z.ZodString>;
        parallel: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>;
    readonly removeRepository: z.ZodObject<{
        repository: z.ZodString;
    }, z.core.$strict>;
    readonly ingestStream: z.ZodObject<{
        repository: z.ZodString;
        stream: z.ZodString;
    }, z.core.$strict>;
};
/** A workflow type whose input is checked by {@link FLOW_INPUTS}. */
export type CheckedFlow = keyof typeof FLOW_INPUTS;
/** The first thing that is wrong with an input, as one sentence that names the field; null when it is right. */
export declare function describeIssue(error: z.ZodError): string;
