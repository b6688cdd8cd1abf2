import { z } from 'zod';
import { envName, plainUrl, shortName } from '../shared/values.schema.ts';

/** A segment of an address's path. */
const pathSegment = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._ -]*$/, 'give the name as in addresses');

/** For everything that changes a forge. */
const writing = {
  /**
   * Name of the environment variable with a token for what writes: pushes, pull requests, comments, releases. The token,
   * or app, that reads when left out.
   */
  writeTokenEnv: envName.optional(),
};

/** Maximum requests that create content: comments, pull requests, releases. */
const contentLimits = {
  contentPerMinute: z.int().min(1).max(100_000).optional(),
  contentPerHour: z.int().min(1).max(1_000_000).optional(),
};

const githubProvider = z.strictObject({
  name: shortName,
  type: z.literal('github'),
  /**
   * Base of the web site: `https://github.com`, or that of a GitHub Enterprise Server or another GitHub-compatible
   * forge.
   */
  url: plainUrl.default('https://github.com'),
  /** Base of the REST API; derived from `url` when left out. */
  apiUrl: plainUrl.optional(),
  /** Name of the environment variable with a token. */
  tokenEnv: envName.optional(),
  ...writing,
  /** A GitHub App instead of a token: names of the environment variables with its credentials. */
  app: z.strictObject({ idEnv: envName, privateKeyEnv: envName, installationIdEnv: envName }).optional(),
  /**
   * Longhaul's share of the forge's limits for this token, if others use the token too or the forge has its own limits.
   */
  limits: z
    .strictObject({
      concurrency: z.int().min(1).max(100).optional(),
      restPerMinute: z.int().min(10).max(100_000).optional(),
      graphqlPerMinute: z.int().min(10).max(100_000).optional(),
      ...contentLimits,
    })
    .optional(),
  /** Include archived repositories. */
  archived: z.boolean().default(false),
  /** Include forks. */
  forks: z.boolean().default(false),
});

/** Maximum concurrent requests to a forge with one token. */
const concurrency = z.int().min(1).max(100).optional();
const placeLimits = z.strictObject({ concurrency }).optional();
/** The same for a forge that Longhaul writes to. */
const writingLimits = z.strictObject({ concurrency, ...contentLimits }).optional();

const gitlabProvider = z.strictObject({
  name: shortName,
  type: z.literal('gitlab'),
  /** Base of the web site. */
  url: plainUrl.default('https://gitlab.com'),
  /** Base of the REST API; `<url>/api/v4` when left out. */
  apiUrl: plainUrl.optional(),
  /** Name of the environment variable with a personal, group or project access token. */
  tokenEnv: envName.optional(),
  ...writing,
  /** Include archived repositories. */
  archived: z.boolean().default(false),
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: writingLimits,
});

const giteaProvider = z.strictObject({
  name: shortName,
  type: z.literal('gitea'),
  /** Base of the web site of a Gitea or Forgejo. */
  url: plainUrl,
  /** Name of the environment variable with an access token. */
  tokenEnv: envName.optional(),
  ...writing,
  /** Include archived repositories. */
  archived: z.boolean().default(false),
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: writingLimits,
});

const azureDevopsProvider = z.strictObject({
  name: shortName,
  type: z.literal('azure-devops'),
  /** Base of the web site, without an organization. */
  url: plainUrl.default('https://dev.azure.com'),
  /** The organizations to query; no others are. */
  organizations: z.array(pathSegment).min(1),
  /** Name of the environment variable with a personal access token. */
  tokenEnv: envName.optional(),
  ...writing,
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: placeLimits,
});

const bitbucketProvider = z.strictObject({
  name: shortName,
  type: z.literal('bitbucket'),
  /** Base of the web site. */
  url: plainUrl.default('https://bitbucket.org'),
  /** Base of the REST API. */
  apiUrl: plainUrl.default('https://api.bitbucket.org/2.0'),
  /** The workspaces to query; no others are. */
  workspaces: z.array(pathSegment).min(1),
  /** Name of the environment variable with the e-mail address of an API token's owner; left out for an access token. */
  usernameEnv: envName.optional(),
  /** Name of the environment variable with an API token or an access token. */
  tokenEnv: envName.optional(),
  ...writing,
  /** Include forks. */
  forks: z.boolean().default(false),
  limits: placeLimits,
});

const localProvider = z.strictObject({
  name: shortName,
  type: z.literal('local'),
  /** A folder with repositories at `org/repo` or `org/project/repo`, bare or not; `~` is the home folder. */
  root: z.string().min(1),
});

const mgitProvider = z.strictObject({
  name: shortName,
  type: z.literal('mgit'),
  /** The installed program. */
  command: z.string().min(1).default('mgit'),
  /** The provider's name in mgit's own configuration; mgit chooses when it is left out. */
  provider: z.string().min(1).optional(),
  /** Names of the environment variables that it gets in addition to those of every program: its tokens. */
  passEnv: z.array(envName).max(50).default([]),
});

/** A source of repositories. */
export const providerSchema = z.discriminatedUnion('type', [
  githubProvider,
  gitlabProvider,
  giteaProvider,
  azureDevopsProvider,
  bitbucketProvider,
  localProvider,
  mgitProvider,
]);

/** An entry of `providers`, checked. */
export type ProviderConfig = z.infer<typeof providerSchema>;
/** A provider with `type: github`, checked. */
export type GithubProviderConfig = z.infer<typeof githubProvider>;
/** A provider with `type: gitlab`, checked. */
export type GitlabProviderConfig = z.infer<typeof gitlabProvider>;
/** A provider with `type: gitea`, checked. */
export type GiteaProviderConfig = z.infer<typeof giteaProvider>;
/** A provider with `type: azure-devops`, checked. */
export type AzureDevopsProviderConfig = z.infer<typeof azureDevopsProvider>;
/** A provider with `type: bitbucket`, checked. */
export type BitbucketProviderConfig = z.infer<typeof bitbucketProvider>;
/** A provider with `type: local`, checked. */
export type LocalProviderConfig = z.infer<typeof localProvider>;
/** A provider with `type: mgit`, checked. */
export type MgitProviderConfig = z.infer<typeof mgitProvider>;
