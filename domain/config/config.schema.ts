import { z } from 'zod';
import { FORGES, forgeOf } from '../forge/webhook.ts';
import { catalogSections } from '../catalog/alerts.schema.ts';
import { releaseSections } from '../release/release.schema.ts';
import { workspaceSections } from '../workspace/host.schema.ts';
import { blobsSchema } from './blobs.schema.ts';
import { gatewaySchema } from './gateway.schema.ts';
import { moduleName, servedModelSchema } from './models.schema.ts';
import { checkPeople, peopleSections } from './people.schema.ts';
import { providerSchema } from './providers.schema.ts';
import { envName, plainUrl, shortName } from '../shared/values.schema.ts';
import { BUILT_IN_MODELS } from '../shared/model.ts';

const keys = z.strictObject({
  providers: z
    .array(providerSchema)
    .default([])
    .refine((list) => new Set(list.map((p) => p.name)).size === list.length, 'two providers have the same name'),
  /** State of the embedded servers; default: the user's data folder. */
  dataDir: z.string().min(1).optional(),
  /**
   * Mirrors, models, fetched servers, embedding cache: data that can be regenerated; default: the user's cache folder.
   */
  cacheDir: z.string().min(1).optional(),
  cache: z
    .strictObject({
      /**
       * Limit in bytes for mirrors, spooled contents and pages of listings in `cacheDir` together; the least recently
       * used are removed first.
       */
      maxBytes: z.int().min(1_000_000).default(50_000_000_000),
    })
    .default({ maxBytes: 50_000_000_000 }),
  /** Where streams, logs and other contents too large for a workflow's history are stored; default: a folder. */
  blobs: blobsSchema.default({ type: 'folder' }),
  temporal: z
    .strictObject({
      /** A profile of `temporal.toml`. */
      profile: z.string().min(1).optional(),
      address: z.string().min(1).optional(),
      namespace: z.string().min(1).optional(),
      /** Base URL of its web interface, for links. */
      uiUrl: plainUrl.optional(),
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
  /** Models served by other programs, by the names used in `index.model` and `--model`. */
  models: z.record(z.string(), servedModelSchema).default({}),
  index: z
    .strictObject({
      /** Prefix of the names of the collections in Weaviate. */
      name: z
        .string()
        .regex(/^[A-Z][A-Za-z0-9]{0,39}$/, 'begin with a capital letter; letters and digits only')
        .default('Longhaul'),
      /**
       * `static` (distilled, fast), `onnx` (a sentence transformer for every chunk, slow), or the name of one of
       * `models`.
       */
      model: z.string().min(1).default('static'),
      /** Folder with `model.onnx` and `tokenizer.json`, instead of the packaged MiniLM. */
      modelPath: z.string().min(1).optional(),
      /** Largest file that is indexed, in bytes. */
      maxFileBytes: z.int().min(1_000).max(10_000_000).default(1_000_000),
    })
    .default({ name: 'Longhaul', model: 'static', maxFileBytes: 1_000_000 }),
  network: z
    .strictObject({
      /** Trust the file that `http.sslCAInfo` of the user's or the system's git configuration names for a forge. */
      authoritiesFromGit: z.boolean().default(false),
    })
    .default({ authoritiesFromGit: false }),
  // a new wing adds its sections here
  ...catalogSections,
  ...releaseSections,
  ...workspaceSections,
  ...peopleSections,
  gateway: gatewaySchema.prefault({}),
  stack: z
    .strictObject({
      /** Ports of the embedded servers on 127.0.0.1; 0 or left out: a free one, reused at the next start. */
      temporalPort: z.int().min(0).max(65_535).default(0),
      temporalUiPort: z.int().min(0).max(65_535).default(0),
      weaviatePort: z.int().min(0).max(65_535).default(0),
      postgresPort: z.int().min(0).max(65_535).default(0),
    })
    .default({ temporalPort: 0, temporalUiPort: 0, weaviatePort: 0, postgresPort: 0 }),
});

/** `longhaul.yaml` (docs/configuration.md). Every key may be left out; unknown keys are refused. */
export const configSchema = keys.superRefine(
  ({ index, models, gateway: { webhooks }, providers, people, groups, release, alerts, host }, context) => {
    for (const [at, { provider, forge }] of webhooks.entries()) {
      const path = ['gateway', 'webhooks', at];
      const known = providers.find(({ name }) => name === provider);
      if (known === undefined)
        context.addIssue({ code: 'custom', path, message: `there is no provider "${provider}"` });
      else if (forge === undefined && forgeOf(known.type) === null) {
        context.addIssue({
          code: 'custom',
          path,
          message: `set "forge" to the forge that ${provider} is: ${FORGES.join(', ')}`,
        });
      }
    }
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    checkPeople({ people, groups }, refuse);
    if (host?.owner !== undefined && !people.some(({ name }) => name === host.owner)) {
      refuse(['host', 'owner'], `there is no person "${host.owner}" in people`);
    }
    for (const [at, name] of release.announce.entries()) {
      if (alerts.channels.some((channel) => channel.name === name)) continue;
      refuse(['release', 'announce', at], `there is no channel "${name}" in alerts.channels`);
    }
    const builtIn: readonly string[] = BUILT_IN_MODELS;
    for (const name of Object.keys(models)) {
      if (builtIn.includes(name)) refuse(['models', name], 'this name is taken by a built-in model');
      if (!shortName.safeParse(name).success) {
        refuse(['models', name], 'use letters, digits, dot, dash and underscore, at most 40, in names of models');
      }
    }
    const known = [...builtIn, ...Object.keys(models)];
    if (!known.includes(index.model)) {
      refuse(['index', 'model'], `there is no model "${index.model}"; available: ${known.join(', ')}`);
    }
  },
);

/** The checked configuration, defaults filled in. */
export type Config = z.infer<typeof configSchema>;
