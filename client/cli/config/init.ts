import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { checkConfig, expandPath } from '../../../activities/shared/config.ts';
import { trustFile } from '../../../activities/shared/trusted-files.ts';
import { providerSchema } from '../../../domain/config/providers.schema.ts';
import { check, describeIssue } from '../../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import type { CliIo } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';
import { openQuestions, type Questions } from './ask.ts';
import { SOURCES } from './sources.ts';

/** Options of `longhaul init`. What is left out is asked on a terminal. */
export interface InitOptions {
  /** One of {@link SOURCES}. */
  readonly type?: (typeof SOURCES)[number];
  /** Name of the provider, the first part of every repository id. @default the type */
  readonly name?: string;
  /** Base of the forge's web site. @default its public one */
  readonly url?: string;
  /** Name of the environment variable with a token. */
  readonly tokenEnv?: string;
  /** Organizations of Azure DevOps. */
  readonly organization?: readonly string[];
  /** The folder with repositories, for `local`. */
  readonly root?: string;
}

/** Public forges, and the usual name of the variable with a token. */
const FORGE_DEFAULTS: Readonly<Record<string, { readonly url?: string; readonly tokenEnv: string }>> = {
  github: { url: 'https://github.com', tokenEnv: 'GITHUB_TOKEN' },
  gitlab: { url: 'https://gitlab.com', tokenEnv: 'GITLAB_TOKEN' },
  gitea: { tokenEnv: 'GITEA_TOKEN' },
  'azure-devops': { url: 'https://dev.azure.com', tokenEnv: 'AZURE_DEVOPS_TOKEN' },
  bitbucket: { url: 'https://bitbucket.org', tokenEnv: 'BITBUCKET_TOKEN' },
};

/**
 * `longhaul init`: writes a commented `longhaul.yaml` into the current folder and trusts it. Throws `InvalidInput` when
 * there is one, for a value that is not valid or a folder that is not there, and without a terminal when something is
 * missing. Then nothing is written.
 */
export async function initCommand(options: InitOptions, io: CliIo): Promise<number> {
  const path = resolve('longhaul.yaml');
  if (existsSync(path)) throw new LonghaulError('InvalidInput', `${path} exists: edit it, or remove it first.`);
  const questions = await openQuestions(io);
  const provider = await providerOf(options, questions).finally(() => questions?.close());
  checkProvider(provider);
  const content = fileOf(provider);
  checkConfig({ path, content });
  await writeWhole(path, content);
  await trustFile(path, content, io.env);
  const next =
    provider['tokenEnv'] === undefined
      ? ''
      : `Put a token that can read your repositories into ${String(provider['tokenEnv'])}. `;
  io.stderr.write(
    `Wrote ${printable(path)}. ${next}Then: longhaul up --detach, longhaul doctor, longhaul index add --pattern '*'\n`,
  );
  return 0;
}

/** Throws `InvalidInput` that names the value: the person gave options or answers, not a file. */
function checkProvider(provider: ProviderValues): void {
  const result = check(providerSchema, provider);
  if (!result.success) throw new LonghaulError('InvalidInput', `${describeIssue(result.error)}.`);
  const { data } = result;
  if (data.type === 'local' && !existsSync(expandPath(data.root, process.cwd()))) {
    throw new LonghaulError(
      'InvalidInput',
      `There is no folder ${data.root}: give the one that contains the repositories.`,
    );
  }
}

type ProviderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

async function providerOf(options: InitOptions, questions: Questions | null): Promise<ProviderValues> {
  const answer = async (given: string | undefined, flag: string, question: string, usual?: string): Promise<string> => {
    if (given === undefined && questions === null) {
      throw new LonghaulError('InvalidInput', `Cannot ask without a terminal: give ${flag}.`);
    }
    const asked = usual === undefined ? `${question}: ` : `${question} [${usual}]: `;
    const text = given ?? (await questions?.ask(asked)) ?? '';
    return text.trim() === '' ? (usual ?? '') : text.trim();
  };
  const type = await answer(options.type, '--type', `Where are the repositories? ${SOURCES.join(', ')}`, 'github');
  if (type === 'local') {
    const root = await answer(options.root, '--root', 'The folder that contains them', '~/code');
    return { name: options.name ?? 'local', type, root };
  }
  const usual = FORGE_DEFAULTS[type];
  if (usual === undefined) {
    throw new LonghaulError('InvalidInput', `There is no type "${type}": give one of ${SOURCES.join(', ')}.`);
  }
  const url = options.url ?? (options.type === undefined ? undefined : usual.url);
  const organizations =
    options.organization ??
    (type === 'azure-devops'
      ? (await answer(undefined, '--organization', 'Organizations, separated by spaces')).split(/[\s,]+/)
      : undefined);
  return {
    name: options.name ?? type,
    type,
    url: await answer(url, '--url', 'Address of its web site', usual.url),
    ...(organizations === undefined ? {} : { organizations }),
    tokenEnv: await answer(
      options.tokenEnv ?? (options.type === undefined ? undefined : usual.tokenEnv),
      '--token-env',
      'Name of the environment variable with a token',
      usual.tokenEnv,
    ),
  };
}

/** Why each key is there. */
const COMMENTS: Readonly<Record<string, string>> = {
  name: 'the first part of every repository id',
  url: 'the web site; the API is found from it',
  organizations: 'no others are listed',
  tokenEnv: 'the NAME of an environment variable; the token itself never stands in this file',
  root: 'every repository below it, bare or not',
};

function fileOf(provider: ProviderValues): string {
  const lines = Object.entries(provider).map(([key, value]) => {
    const comment = COMMENTS[key];
    const written = `${key}: ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`;
    return comment === undefined ? written : `${written}  # ${comment}`;
  });
  return `# Longhaul's configuration. Every key is in docs/configuration.md; changes apply to the next command.
providers:
${lines.map((line, at) => `  ${at === 0 ? '-' : ' '} ${line}`).join('\n')}

# index: { name: Longhaul, model: static }
# temporal: { address: "temporal.example.com:7233", namespace: longhaul }   # your own server instead of the embedded one
# weaviate: { url: https://weaviate.example.com, apiKeyEnv: WEAVIATE_API_KEY }
`;
}
