import { z } from 'zod';
import { envName, plainUrl, shortName } from './values.schema.ts';

/** A name that stands between two slashes of an address. */
const pathSegment = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._ -]*$/, 'give the name as it stands in addresses');

const githubProvider = z.strictObject({
  name: shortName,
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
  name: shortName,
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
  name: shortName,
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
  name: shortName,
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
  name: shortName,
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
  name: shortName,
  type: z.literal('local'),
  /** A folder that holds `org/repo` or `org/project/repo`, bare or not; `~` is the home folder. */
  root: z.string().min(1),
});

const mgitProvider = z.strictObject({
  name: shortName,
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
