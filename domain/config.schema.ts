import { z } from 'zod';
import { FLOW_UPDATES, type FlowUpdate, STARTABLE_FLOWS } from './catalog/flows.schema.ts';
import { FORGES, type Forge } from './catalog/webhook.ts';
import { BUILT_IN_MODELS } from './model.ts';
import { spanOfTime } from './span.schema.ts';

const shortName = /^[a-z0-9][a-z0-9._-]{0,39}$/i;
const providerName = z.string().regex(shortName, 'use letters, digits, dot, dash and underscore, at most 40');
const envName = z
  .string()
  .refine(
    (name) => !/^(gh[a-z]_|github_pat_|glpat-|AT[AC]TT3x|sk-|xox.-)/i.test(name),
    'this looks like a secret: give the name of the environment variable that holds it',
  )
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'give the name of an environment variable, never the secret itself');

/** An address that may be shown to anybody: nothing secret stands in it. */
const plainUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/^https?:\/\/[^/]*@|[?#]/.test(url), 'give the address alone, without user, password, ? or #')
  .transform((url) => url.replace(/\/+$/, ''));

/** A name that stands between two slashes of an address. */
const pathSegment = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._ -]*$/, 'give the name as it stands in addresses');

const githubProvider = z.strictObject({
  name: providerName,
  type: z.literal('github'),
  /** Base of the web site: `https://github.com`, or that of a GitHub Enterprise Server or another GitHub-compatible forge. */
  url: plainUrl.default('https://github.com'),
  /** Base of the REST API; derived from `url` when left out. */
  apiUrl: plainUrl.optional(),
  /** Name of the environment variable that holds a token. */
  tokenEnv: envName.optional(),
  /** A GitHub App instead of a token: names of the environment variables that hold its credentials. */
  app: z.strictObject({ idEnv: envName, privateKeyEnv: envName, installationIdEnv: envName }).optional(),
  /** What Longhaul may take of the forge's limits for this token, where others use it too or the forge has limits of its own. */
  limits: z
    .strictObject({
      concurrency: z.int().min(1).max(100).optional(),
      restPerMinute: z.int().min(10).max(100_000).optional(),
      graphqlPerMinute: z.int().min(10).max(100_000).optional(),
    })
    .optional(),
  /** Include archived repositories. */
  archived: z.boolean().default(false),
  /** Include forks. */
  forks: z.boolean().default(false),
});

/** What Longhaul may have under way at a forge with one token, where its administrator wants less. */
const placeLimits = z.strictObject({ concurrency: z.int().min(1).max(100).optional() }).optional();

const gitlabProvider = z.strictObject({
  name: providerName,
  type: z.literal('gitlab'),
  /** Base of the web site. */
  url: plainUrl.default('https://gitlab.com'),
  /** Base of the REST API; `<url>/api/v4` when left out. */
  apiUrl: plainUrl.optional(),
  /** Name of the environment variable that holds a personal, group or project access token. */
  tokenEnv: envName.optional(),
  /** Include archived repositories. */
  archived: z.boolean().default(false),
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: placeLimits,
});

const giteaProvider = z.strictObject({
  name: providerName,
  type: z.literal('gitea'),
  /** Base of the web site of a Gitea or Forgejo. */
  url: plainUrl,
  /** Name of the environment variable that holds an access token. */
  tokenEnv: envName.optional(),
  /** Include archived repositories. */
  archived: z.boolean().default(false),
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: placeLimits,
});

const azureDevopsProvider = z.strictObject({
  name: providerName,
  type: z.literal('azure-devops'),
  /** Base of the web site, without an organization. */
  url: plainUrl.default('https://dev.azure.com'),
  /** The organizations that are asked, and no others. */
  organizations: z.array(pathSegment).min(1),
  /** Name of the environment variable that holds a personal access token. */
  tokenEnv: envName.optional(),
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: placeLimits,
});

const bitbucketProvider = z.strictObject({
  name: providerName,
  type: z.literal('bitbucket'),
  /** Base of the web site. */
  url: plainUrl.default('https://bitbucket.org'),
  /** Base of the REST API. */
  apiUrl: plainUrl.default('https://api.bitbucket.org/2.0'),
  /** The workspaces that are asked, and no others. */
  workspaces: z.array(pathSegment).min(1),
  /** Name of the environment variable that holds the e-mail address of an API token's owner; left out for an access token. */
  usernameEnv: envName.optional(),
  /** Name of the environment variable that holds an API token or an access token. */
  tokenEnv: envName.optional(),
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: placeLimits,
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
export const providerSchema = z.discriminatedUnion('type', [
  githubProvider,
  gitlabProvider,
  giteaProvider,
  azureDevopsProvider,
  bitbucketProvider,
  localProvider,
  mgitProvider,
]);

const moduleName = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)+$/, 'give the name of a module, such as text2vec-openai');

/** What all models that somebody else serves have in common. */
const served = {
  /** What the server may be asked, by each process; the rest waits its turn. */
  budget: z
    .strictObject({
      requestsPerMinute: z.number().positive().optional(),
      tokensPerMinute: z.number().positive().optional(),
      /** Requests at the same time. */
      concurrency: z.int().min(1).max(64).default(4),
    })
    .prefault({}),
  /** Most texts, and most bytes of them, in one request. */
  batch: z
    .strictObject({
      inputs: z.int().min(1).max(2_048).default(128),
      bytes: z.int().min(1_000).max(10_000_000).default(250_000),
    })
    .prefault({}),
  /** Longer texts are cut at the last whole character before so many bytes of UTF-8. */
  maxInputBytes: z.int().min(100).max(1_000_000).default(8_191),
  /** Seconds after which a request is given up and tried again. */
  timeoutSeconds: z.int().min(1).max(3_600).default(120),
};

const openAiModel = z.strictObject({
  type: z.literal('openai'),
  /** Base of an OpenAI-compatible API, with its version: `https://api.openai.com/v1`. */
  url: plainUrl,
  /** The model's name on that server. */
  model: z.string().min(1).max(200),
  /** Length of the vectors, for models that can shorten them; asked of the server once when left out. */
  dimensions: z.int().min(1).max(65_535).optional(),
  /** Name of the environment variable that holds the key; without it none is sent. */
  apiKeyEnv: envName.optional(),
  ...served,
});

const weaviateModel = z
  .strictObject({
    type: z.literal('weaviate'),
    /** A vectorizer module that is enabled in Weaviate. */
    module: moduleName,
    /** The module's own options, as Weaviate documents them. */
    options: z
      .record(z.string(), z.json())
      .refine(holdsNoSecret, 'give keys by apiKeyEnv and apiKeyHeader, never here')
      .default({}),
    /** Name of the environment variable that holds the key of the service behind the module. */
    apiKeyEnv: envName.optional(),
    /** The header in which the module expects that key, such as `X-OpenAI-Api-Key`. */
    apiKeyHeader: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'give the name of a header')
      .optional(),
    ...served,
  })
  .refine(
    ({ apiKeyEnv, apiKeyHeader }) => (apiKeyEnv === undefined) === (apiKeyHeader === undefined),
    'give apiKeyEnv and apiKeyHeader together',
  );

function holdsNoSecret(options: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(options).every(
    ([name, value]) =>
      !/api[-_]?key|secret|password|credential/i.test(name) &&
      !(typeof value === 'string' && /^[a-z]+:\/\/[^/]*@/i.test(value)),
  );
}

/** An embedding model that somebody else serves. */
export const servedModelSchema = z.discriminatedUnion('type', [openAiModel, weaviateModel]);

const channelName = z.string().regex(shortName, 'use letters, digits, dot, dash and underscore, at most 40');

/** Somebody who is told of alerts. Addresses that hold a secret are named, never written. */
export const alertChannelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    name: channelName,
    type: z.literal('webhook'),
    /** Name of the environment variable that holds the address. */
    urlEnv: envName,
    /** Name of the environment variable that holds the secret that the body is signed with. */
    secretEnv: envName.optional(),
  }),
  z.strictObject({
    name: channelName,
    type: z.literal('slack'),
    /** Name of the environment variable that holds the address of an incoming webhook. */
    urlEnv: envName,
  }),
  z.strictObject({
    name: channelName,
    type: z.literal('email'),
    /** Name of the environment variable that holds `smtps://user:password@host:port`. */
    smtpUrlEnv: envName,
    from: z.email(),
    to: z.array(z.email()).min(1, 'give at least one address').max(50),
  }),
]);
const folderBlobs = z.strictObject({
  type: z.literal('folder'),
  /** The folder; default: `blobs` in the data folder. */
  path: z.string().min(1).optional(),
});

const s3Blobs = z.strictObject({
  type: z.literal('s3'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'give the name of a bucket, not its address'),
  /** Base URL of the S3 service; Amazon's own for the region when left out. */
  endpoint: plainUrl.optional(),
  region: z.string().min(1).default('us-east-1'),
  /** What the name of every object begins with. */
  prefix: z
    .string()
    .regex(
      /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/,
      'use letters, digits, dot, dash and underscore, and end it with a slash',
    )
    .default(''),
  /** Address the bucket as `<endpoint>/<bucket>` instead of `<bucket>.<endpoint>`: what most services but Amazon's need. */
  forcePathStyle: z.boolean().default(false),
});

/** Where blobs are kept. */
export const blobsSchema = z.discriminatedUnion('type', [folderBlobs, s3Blobs]);

const messageName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'give the name of a signal');

const webhook = z.strictObject({
  /** The provider whose repositories the webhooks are about. */
  provider: providerName,
  /** What the other side speaks; default: the type of the provider. */
  forge: z.enum(FORGES).optional(),
  /** Name of the environment variable that holds the secret that both sides know. */
  secretEnv: envName,
});

/** A key of the gateway, as `longhaul.yaml` keeps it. */
export const apiKeySchema = z.strictObject({
  /** The part of the key that may be seen. */
  id: z.string().regex(/^[0-9a-f]{12}$/, 'must be what `longhaul gateway key` printed'),
  /** Who has it. */
  name: z.string().regex(shortName, 'use letters, digits, dot, dash and underscore, at most 40'),
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be what `longhaul gateway key` printed, never the key itself'),
  /** The flows that it may start and read. */
  flows: z.array(z.enum(STARTABLE_FLOWS)).default([]),
  /** The signals and updates that it may send to runs of these flows. */
  signals: z.array(messageName).default([]),
  updates: z.array(z.enum(Object.keys(FLOW_UPDATES) as [FlowUpdate])).default([]),
  requestsPerMinute: z.int().min(1).max(100_000).default(120),
});

const gateway = z.strictObject({
  address: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/i, 'give host:port')
    .default('127.0.0.1:8420'),
  webhooks: z
    .array(webhook)
    .default([])
    .refine((list) => new Set(list.map((one) => one.provider)).size === list.length, 'a provider is there twice'),
  /** mgit patterns: repositories of these names are indexed when their forge says that they are there. */
  onboard: z.array(z.string().min(1).max(300)).default([]),
  /** A repository is synced when its forge said nothing of it for so long. */
  quietSeconds: z.number().min(0).max(3_600).default(10),
  /** The largest message of a forge, in bytes. */
  maxWebhookBytes: z.int().min(1_000).max(26_214_400).default(26_214_400),
  keys: z
    .array(apiKeySchema)
    .default([])
    .refine((list) => new Set(list.map((one) => one.id)).size === list.length, 'two keys have the same id'),
});

const keys = z.strictObject({
  providers: z
    .array(providerSchema)
    .default([])
    .refine((list) => new Set(list.map((p) => p.name)).size === list.length, 'two providers have the same name'),
  /** State of the embedded servers; default: the user's data folder. */
  dataDir: z.string().min(1).optional(),
  /** Mirrors, models, fetched servers, embedding cache: everything that can be made again; default: the user's cache folder. */
  cacheDir: z.string().min(1).optional(),
  cache: z
    .strictObject({
      /** Bytes that mirrors and spooled contents in `cacheDir` may take together; what was not used for longest goes first. */
      maxBytes: z.int().min(1_000_000).default(50_000_000_000),
    })
    .default({ maxBytes: 50_000_000_000 }),
  /** Where streams, logs and other contents are kept that are too large for a workflow's history; default: a folder. */
  blobs: blobsSchema.default({ type: 'folder' }),
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
      url: plainUrl.optional(),
      /** `host:port` of its gRPC endpoint; default: the host of `url`, port 50051 (443 with https). */
      grpc: z.string().min(1).optional(),
      apiKeyEnv: envName.default('WEAVIATE_API_KEY'),
      /** Modules of the embedded server, for models of type `weaviate`. */
      modules: z.array(moduleName).default([]),
    })
    .default({ apiKeyEnv: 'WEAVIATE_API_KEY', modules: [] }),
  /** Models that somebody else serves, by the names that `index.model` and `--model` know them by. */
  models: z.record(z.string(), servedModelSchema).default({}),
  index: z
    .strictObject({
      /** First part of the names of the collections in Weaviate. */
      name: z
        .string()
        .regex(/^[A-Z][A-Za-z0-9]{0,39}$/, 'begin with a capital letter; letters and digits only')
        .default('Longhaul'),
      /** `static` (distilled, fast), `onnx` (a sentence transformer for every chunk, slow), or the name of one of `models`. */
      model: z.string().min(1).default('static'),
      /** Folder with `model.onnx` and `tokenizer.json`, instead of the packaged MiniLM. */
      modelPath: z.string().min(1).optional(),
      /** Largest file that is indexed, in bytes. */
      maxFileBytes: z.int().min(1_000).max(10_000_000).default(1_000_000),
    })
    .default({ name: 'Longhaul', model: 'static', maxFileBytes: 1_000_000 }),
  /** Who is told when a sync group needs somebody (docs/alerts.md). */
  alerts: z
    .strictObject({
      channels: z
        .array(alertChannelSchema)
        .default([])
        .refine(
          (list) => new Set(list.map(({ name }) => name)).size === list.length,
          'two channels have the same name',
        ),
      /** A group of which nothing was left to do longer ago than this. */
      staleAfter: spanOfTime('90d').prefault('6h'),
      /** A repository that failed in so many runs in a row. */
      failingRuns: z.int().min(1).max(10).default(3),
    })
    .prefault({}),
  /** The HTTP gateway (docs/gateway.md). */
  gateway: gateway.prefault({}),
  stack: z
    .strictObject({
      /** Ports of the embedded servers on 127.0.0.1; 0 or left out: a free one, kept for the next start. */
      temporalPort: z.int().min(0).max(65_535).default(0),
      temporalUiPort: z.int().min(0).max(65_535).default(0),
      weaviatePort: z.int().min(0).max(65_535).default(0),
    })
    .default({ temporalPort: 0, temporalUiPort: 0, weaviatePort: 0 }),
});

/** `longhaul.yaml` (docs/configuration.md). Every key may be left out; unknown keys are refused. */
export const configSchema = keys.superRefine(({ index, models, gateway: { webhooks }, providers }, context) => {
  for (const [at, { provider, forge }] of webhooks.entries()) {
    const path = ['gateway', 'webhooks', at];
    const known = providers.find(({ name }) => name === provider);
    if (known === undefined) context.addIssue({ code: 'custom', path, message: `there is no provider "${provider}"` });
    else if (forge === undefined && forgeOf(known.type) === null) {
      context.addIssue({
        code: 'custom',
        path,
        message: `say with "forge" what ${provider} speaks: ${FORGES.join(', ')}`,
      });
    }
  }
  const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
  const builtIn: readonly string[] = BUILT_IN_MODELS;
  for (const name of Object.keys(models)) {
    if (builtIn.includes(name)) refuse(['models', name], 'this name is taken by a built-in model');
    if (!shortName.test(name)) {
      refuse(['models', name], 'name models by letters, digits, dot, dash and underscore, at most 40');
    }
  }
  const known = [...builtIn, ...Object.keys(models)];
  if (!known.includes(index.model)) {
    refuse(['index', 'model'], `there is no model "${index.model}"; known are ${known.join(', ')}`);
  }
});

/** The forge whose webhooks providers of a type get; null when the type does not say. */
export function forgeOf(type: string): Forge | null {
  return FORGES.find((forge) => forge === type) ?? null;
}

/** The checked configuration, defaults filled in. */
export type Config = z.infer<typeof configSchema>;
export type GatewayConfig = Config['gateway'];
export type ApiKeyConfig = GatewayConfig['keys'][number];
export type ServedModelConfig = z.infer<typeof servedModelSchema>;
export type OpenAiModelConfig = z.infer<typeof openAiModel>;
export type WeaviateModelConfig = z.infer<typeof weaviateModel>;
export type ProviderConfig = z.infer<typeof providerSchema>;
export type GithubProviderConfig = z.infer<typeof githubProvider>;
export type GitlabProviderConfig = z.infer<typeof gitlabProvider>;
export type GiteaProviderConfig = z.infer<typeof giteaProvider>;
export type AzureDevopsProviderConfig = z.infer<typeof azureDevopsProvider>;
export type BitbucketProviderConfig = z.infer<typeof bitbucketProvider>;
export type S3BlobsConfig = z.infer<typeof s3Blobs>;
export type LocalProviderConfig = z.infer<typeof localProvider>;
export type MgitProviderConfig = z.infer<typeof mgitProvider>;

/** See {@link alertChannelSchema}. */
export type AlertChannelConfig = z.output<typeof alertChannelSchema>;
