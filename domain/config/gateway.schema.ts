import { z } from 'zod';
import { parseAddress } from '../shared/address.ts';
import { FORGES } from '../forge/webhook.ts';
import { envName, plainUrl, shortName } from '../shared/values.schema.ts';

/** The gateway checks the names of flows, signals and updates when it starts. */
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'give a name');

const webhook = z.strictObject({
  /** The provider whose repositories the webhooks are about. */
  provider: shortName,
  /** The forge that sends the webhooks; default: the type of the provider. */
  forge: z.enum(FORGES).optional(),
  /** Name of the environment variable with the shared secret. */
  secretEnv: envName,
});

/** A key of the gateway, as stored in `longhaul.yaml`. */
export const apiKeySchema = z.strictObject({
  /** The public part of the key. */
  id: z.string().regex(/^[0-9a-f]{12}$/, 'must be the output of `longhaul gateway key`'),
  /** Name of the key's owner. */
  name: shortName,
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be the output of `longhaul gateway key`, never the key itself'),
  /** The flows that it may start and read. */
  flows: z.array(name).default([]),
  /** The signals and updates that it may send to runs of these flows. */
  signals: z.array(name).default([]),
  updates: z.array(name).default([]),
  requestsPerMinute: z.int().min(1).max(100_000).default(120),
});

/** The name of a label of Prometheus. */
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/, 'give the name of a label of Prometheus');

/** Webhooks of Alertmanager, about deployed environments. */
const alertmanager = z
  .strictObject({
    /** Name of the environment variable with the secret that Alertmanager sends, or that a proxy signs with. */
    secretEnv: envName.optional(),
    /** The file with the secret instead. */
    secretFile: z
      .string()
      .regex(/^\/[^\0]+$/, 'give an absolute path')
      .optional(),
    /** The label with the id of the repository that an alert is about: `work/acme/api`. */
    repositoryLabel: labelName.default('longhaul_repository'),
    /** The label with the name of the environment. */
    environmentLabel: labelName.default('longhaul_environment'),
    /** Ids of repositories that its alerts may be about, with `*` and `?`: who has the secret can roll back these. */
    repositories: z.array(z.string().min(1).max(500)).min(1).default(['*']),
  })
  .refine(({ secretEnv, secretFile }) => (secretEnv === undefined) !== (secretFile === undefined), {
    message: 'give one of secretEnv and secretFile',
  });

/** Sign-in of people with an OpenID provider. */
const oidc = z.strictObject({
  /** The provider's issuer, as its discovery document has it. */
  issuer: plainUrl,
  clientId: z.string().min(1).max(255),
  /** Name of the environment variable with the client's secret; without it the client is a public one. */
  clientSecretEnv: envName.optional(),
});

/** The HTTP gateway (docs/gateway.md). */
export const gatewaySchema = z.strictObject({
  address: z
    .string()
    .refine((text) => parseAddress(text) !== null, 'give host:port')
    .default('127.0.0.1:8420'),
  /** The address at which people reach it, such as that of a proxy with TLS; default: `http://` and `address`. */
  url: plainUrl.optional(),
  /** Sign-in with an OpenID provider, in addition to API keys of people. */
  oidc: oidc.optional(),
  webhooks: z
    .array(webhook)
    .default([])
    .refine((list) => new Set(list.map((one) => one.provider)).size === list.length, 'a provider is listed twice'),
  /** Alerts about deployed environments; default: none are taken. */
  alertmanager: alertmanager.optional(),
  /** mgit patterns: matching repositories are indexed when their forge reports that they exist. */
  onboard: z.array(z.string().min(1).max(300)).default([]),
  /** A repository is synced after this long without messages about it. */
  quietSeconds: z.number().min(0).max(3_600).default(10),
  /** The largest webhook message, in bytes. */
  maxWebhookBytes: z.int().min(1_000).max(26_214_400).default(26_214_400),
  keys: z
    .array(apiKeySchema)
    .default([])
    .refine((list) => new Set(list.map((one) => one.id)).size === list.length, 'two keys have the same id'),
});

/** An entry of `gateway.keys`, checked. */
export type ApiKeyConfig = z.infer<typeof apiKeySchema>;
