import { z } from 'zod';
const providerName = z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/i, 'use letters, digits, dot, dash and underscore, at most 40');
const envName = z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'give the name of an environment variable, never the secret itself');
const githubProvider = z.strictObject({
    name: providerName,
    type: z.literal('github'),
    /** Base of the web site: `https://github.com`, or that of a GitHub Enterprise Server or another GitHub-compatible forge. */
    url: z.url({ protocol: /^https?$/ }).default('https://github.com'),
    /** Base of the REST API; derived from `url` when left out. */
    apiUrl: z.url({ protocol: /^https?$/ }).optional(),
    /** Name of the environment variable that holds a token. */
    tokenEnv: envName.optional(),
    /** A GitHub App instead of a token: names of the environment variables that hold its credentials. */
    app: z.strictObject({ idEnv: envName, privateKeyEnv: envName, installationIdEnv: envName }).optional(),
    /** Include archived repositories. */
    archived: z.boolean().default(false),
    /** Include forks. */
    forks: z.boolean().default(false),
});
const localProvider = z.strictObject({
    name: providerName,
    type: z.literal('local'),
    /** A folder that holds `org/repo` or `org/project/repo`, bare or not; `~` is the home folder. */
    root: z.string().min(1),
});
const mgitProvider = z.strictObject({
    name: providerName,
    type: z.literal('mgit'),
    /** The installed program. */
    command: z.string().min(1).default('mgit'),
    /** The provider's name in mgit's own configuration; mgit chooses when it is left out. */
    provider: z.string().min(1).optional(),
});
/** One place where repositories are found. */
export const providerSchema = z.discriminatedUnion('type', [githubProvider, localProvider, mgitProvider]);
/** `longhaul.yaml` (docs/configuration.md). Every key may be left out; unknown keys are refused. */
export const configSchema = z.strictObject({
    providers: z
        .array(providerSchema)
        .default([])
        .refine((list) => new Set(list.map((p) => p.name)).size === list.length, 'two providers have the same name'),
    /** State of the embedded servers; default: the user's data folder. */
    dataDir: z.string().min(1).optional(),
    /** Mirrors, models, fetched servers, embedding cache: everything that can be made again; default: the user's cache folder. */
    cacheDir: z.string().min(1).optional(),
    temporal: z
        .strictObject({
        /** A profile of `temporal.toml`. */
        profile: z.string().min(1).optional(),
        address: z.string().min(1).optional(),
        namespace: z.string().min(1).optional(),
    })
        .default({}),
    weaviate: z
        .strictObject({
        /** Base URL of an existing Weaviate. */
        url: z.url({ protocol: /^https?$/ }).optional(),
        /** `host:port` of its gRPC endpoint; default: the host of `url`, port 50051 (443 with https). */
        grpc: z.string().min(1).optional(),
        apiKeyEnv: envName.default('WEAVIATE_API_KEY'),
    })
        .default({ apiKeyEnv: 'WEAVIATE_API_KEY' }),
    index: z
        .strictObject({
        /** First part of the names of the collections in Weaviate. */
        name: z
            .string()
            .regex(/^[A-Z][A-Za-z0-9]{0,39}$/, 'begin with a capital letter; letters and digits only')
            .default('Longhaul'),
        /** `static` (distilled, fast) or `onnx` (a sentence transformer for every chunk, slow). */
        model: z.enum(['static', 'onnx']).default('static'),
        /** Folder with `model.onnx` and `tokenizer.json`, instead of the packaged MiniLM. */
        modelPath: z.string().min(1).optional(),
        /** Largest file that is indexed, in bytes. */
        maxFileBytes: z.int().min(1_000).max(10_000_000).default(1_000_000),
    })
        .default({ name: 'Longhaul', model: 'static', maxFileBytes: 1_000_000 }),
    stack: z
        .strictObject({
        /** Ports of the embedded servers on 127.0.0.1; 0 or left out: a free one, kept for the next start. */
        temporalPort: z.int().min(0).max(65_535).default(0),
        temporalUiPort: z.int().min(0).max(65_535).default(0),
        weaviatePort: z.int().min(0).max(65_535).default(0),
    })
        .default({ temporalPort: 0, temporalUiPort: 0, weaviatePort: 0 }),
});
//# sourceMappingURL=config.schema.js.map