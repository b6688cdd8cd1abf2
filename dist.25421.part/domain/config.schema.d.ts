import { z } from 'zod';
declare const githubProvider: z.ZodObject<{
    name: z.ZodString;
    type: z.ZodLiteral<"github">;
    url: z.ZodDefault<z.ZodURL>;
    apiUrl: z.ZodOptional<z.ZodURL>;
    tokenEnv: z.ZodOptional<z.ZodString>;
    app: z.ZodOptional<z.ZodObject<{
        idEnv: z.ZodString;
        privateKeyEnv: z.ZodString;
        installationIdEnv: z.ZodString;
    }, z.core.$strict>>;
    archived: z.ZodDefault<z.ZodBoolean>;
    forks: z.ZodDefault<z.ZodBoolean>;
}, z.core.$strict>;
declare const localProvider: z.ZodObject<{
    name: z.ZodString;
    type: z.ZodLiteral<"local">;
    root: z.ZodString;
}, z.core.$strict>;
declare const mgitProvider: z.ZodObject<{
    name: z.ZodString;
    type: z.ZodLiteral<"mgit">;
    command: z.ZodDefault<z.ZodString>;
    provider: z.ZodOptional<z.ZodString>;
}, z.core.$strict>;
/** One place where repositories are found. */
export declare const providerSchema: z.ZodDiscriminatedUnion<[z.ZodObject<{
    name: z.ZodString;
    type: z.ZodLiteral<"github">;
    url: z.ZodDefault<z.ZodURL>;
    apiUrl: z.ZodOptional<z.ZodURL>;
    tokenEnv: z.ZodOptional<z.ZodString>;
    app: z.ZodOptional<z.ZodObject<{
        idEnv: z.ZodString;
        privateKeyEnv: z.ZodString;
        installationIdEnv: z.ZodString;
    }, z.core.$strict>>;
    archived: z.ZodDefault<z.ZodBoolean>;
    forks: z.ZodDefault<z.ZodBoolean>;
}, z.core.$strict>, z.ZodObject<{
    name: z.ZodString;
    type: z.ZodLiteral<"local">;
    root: z.ZodString;
}, z.core.$strict>, z.ZodObject<{
    name: z.ZodString;
    type: z.ZodLiteral<"mgit">;
    command: z.ZodDefault<z.ZodString>;
    provider: z.ZodOptional<z.ZodString>;
}, z.core.$strict>], "type">;
/** `longhaul.yaml` (docs/configuration.md). Every key may be left out; unknown keys are refused. */
export declare const configSchema: z.ZodObject<{
    providers: z.ZodDefault<z.ZodArray<z.ZodDiscriminatedUnion<[z.ZodObject<{
        name: z.ZodString;
        type: z.ZodLiteral<"github">;
        url: z.ZodDefault<z.ZodURL>;
        apiUrl: z.ZodOptional<z.ZodURL>;
        tokenEnv: z.ZodOptional<z.ZodString>;
        app: z.ZodOptional<z.ZodObject<{
            idEnv: z.ZodString;
            privateKeyEnv: z.ZodString;
            installationIdEnv: z.ZodString;
        }, z.core.$strict>>;
        archived: z.ZodDefault<z.ZodBoolean>;
        forks: z.ZodDefault<z.ZodBoolean>;
    }, z.core.$strict>, z.ZodObject<{
        name: z.ZodString;
        type: z.ZodLiteral<"local">;
        root: z.ZodString;
    }, z.core.$strict>, z.ZodObject<{
        name: z.ZodString;
        type: z.ZodLiteral<"mgit">;
        command: z.ZodDefault<z.ZodString>;
        provider: z.ZodOptional<z.ZodString>;
    }, z.core.$strict>], "type">>>;
    dataDir: z.ZodOptional<z.ZodString>;
    cacheDir: z.ZodOptional<z.ZodString>;
    temporal: z.ZodDefault<z.ZodObject<{
        profile: z.ZodOptional<z.ZodString>;
        address: z.ZodOptional<z.ZodString>;
        namespace: z.ZodOptional<z.ZodString>;
    }, z.core.$strict>>;
    weaviate: z.ZodDefault<z.ZodObject<{
        url: z.ZodOptional<z.ZodURL>;
        grpc: z.ZodOptional<z.ZodString>;
        apiKeyEnv: z.ZodDefault<z.ZodString>;
    }, z.core.$strict>>;
    index: z.ZodDefault<z.ZodObject<{
        name: z.ZodDefault<z.ZodString>;
        model: z.ZodDefault<z.ZodEnum<{
            onnx: "onnx";
            static: "static";
        }>>;
        modelPath: z.ZodOptional<z.ZodString>;
        maxFileBytes: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>>;
    stack: z.ZodDefault<z.ZodObject<{
        temporalPort: z.ZodDefault<z.ZodInt>;
        temporalUiPort: z.ZodDefault<z.ZodInt>;
        weaviatePort: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>>;
}, z.core.$strict>;
/** The checked configuration, defaults filled in. */
export type Config = z.infer<typeof configSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
export type GithubProviderConfig = z.infer<typeof githubProvider>;
export type LocalProviderConfig = z.infer<typeof localProvider>;
export type MgitProviderConfig = z.infer<typeof mgitProvider>;
export {};
