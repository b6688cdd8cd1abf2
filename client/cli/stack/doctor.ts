import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import { FAILURES } from '../../../domain/shared/failures.ts';
import { COMMON_ROLES, hostRole, queueOfRole, type Role, ROLES } from '../../../domain/shared/roles.ts';
import { findRunningStack } from '../../../stack/running-stack.ts';
import type { RunningStack } from '../../../stack/running-stack.ts';
import { atLeast } from '../../../platform/version.ts';
import { messageOf } from '../../../platform/error-code.ts';
import type { TemporalTarget } from '../../../stack/temporal-connection.ts';
import type { WeaviateTarget } from '../../../stack/weaviate-connection.ts';
import type { CliContext } from '../../core/context.ts';
import { blobsFinding } from './blobs-finding.ts';
import type { Finding, WingParts } from '../commands.ts';
import { fine, wrong } from '../finding.ts';
import { shownError } from '../../core/errors.ts';
import { namingStackFailures } from '../../core/stack-failure.ts';
import { styleFor } from '../../core/style.ts';
import { networkFindings } from './network-findings.ts';
import { otherUsers } from './other-users.ts';
import { sandboxFinding } from './sandbox-finding.ts';
import { plainTable } from './stack-table.ts';

/** Options of `longhaul doctor`. */
export interface DoctorOptions {
  readonly json: boolean;
  /** The parts of the wings, with their checks. */
  readonly parts: readonly WingParts[];
}

const SDK_PACKAGES = ['activity', 'client', 'common', 'envconfig', 'proto', 'worker', 'workflow'] as const;
const UP = 'Start it with `longhaul up`.';
/** Servers refuse writes when less space than this is free, in bytes. */
const ENOUGH_SPACE = 2_000_000_000;

/**
 * Checks everything that Longhaul needs, and prints each problem with its remedy. Returns 1 when there is a problem,
 * otherwise 0. Throws `StackFailed`.
 */
export async function doctor(options: DoctorOptions, context: CliContext): Promise<number> {
  const running = await namingStackFailures(async () => findRunningStack(context.dataDir));
  let ofWings: readonly Finding[] | null = null;
  const findWith = async (client: Client | null): Promise<readonly Finding[]> => {
    const checks = options.parts.flatMap(({ findProblems }) => findProblems ?? []);
    const found = checks.map((findProblems) => findProblems(context, client));
    return (await Promise.all(found)).flat();
  };
  const temporal = await temporalFindings(context, running, async (client) => {
    ofWings = await findWith(client);
  });
  const findings = [
    nodeVersion(),
    sdkVersions(),
    configuration(context),
    await gitVersion(context),
    ...networkFindings(context),
    ...temporal,
    await weaviateFinding(context, running),
    ...(running === null ? [] : [await otherUsersFinding(context, running)]),
    await postgresFinding(context, running),
    modelFinding(context, running),
    await onnxRuntime(context),
    await blobsFinding(context),
    await sandboxFinding(context),
    ...(ofWings ?? (await findWith(null))),
    await diskSpace('data folder', context.dataDir),
    await diskSpace('cache folder', context.cacheDir),
  ];
  const ok = findings.every((finding) => finding.ok);
  context.stdout.write(options.json ? `${JSON.stringify({ ok, findings })}\n` : `${findingsText(findings, context)}\n`);
  return ok ? 0 : 1;
}

function findingsText(findings: readonly Finding[], context: CliContext): string {
  const style = styleFor(context.stdout, context.env);
  const rows = findings.map(({ name, ok, found }) => [ok ? style('green', 'ok') : style('red', 'wrong'), name, found]);
  const remedies = findings.filter(({ ok }) => !ok).map(({ name, remedy }) => `${name}: ${remedy ?? ''}`);
  return [plainTable(rows), ...(remedies.length === 0 ? [] : ['', ...remedies])].join('\n');
}

async function otherUsersFinding({ config, env }: CliContext, { state }: RunningStack): Promise<Finding> {
  const { yourTemporal } = await import('../../../stack/temporal-connection.ts');
  const isYours = state.temporal?.source === 'yours';
  // a profile that cannot be read is a finding of its own
  return otherUsers(state, isYours ? await yourTemporal(config.temporal, env).catch(() => null) : null);
}

function nodeVersion(): Finding {
  const { node } = process.versions;
  return atLeast(node, 22, 18) ? fine('Node', node) : wrong('Node', node, 'Install Node 22.18 or later.');
}

async function gitVersion({ env }: CliContext): Promise<Finding> {
  const { findGit, OLDEST_GIT } = await import('../../../activities/git/git-version.ts');
  const remedy = `Install git ${OLDEST_GIT} or later.`;
  const git = await findGit(env);
  if (git === null) return wrong('git', 'not on PATH', remedy);
  const found = `${git.version} at ${git.program}`;
  return git.isUsable ? fine('git', found) : wrong('git', found, remedy);
}

function sdkVersions(): Finding {
  const require = createRequire(import.meta.url);
  const versions = SDK_PACKAGES.map((name) => {
    const { version } = require(`@temporalio/${name}/package.json`) as { version: string };
    return `${name} ${version}`;
  });
  const different = new Set(versions.map((entry) => entry.split(' ')[1]));
  if (different.size === 1) return fine('Temporal SDK', `${[...different].join('')}, ${versions.length} packages`);
  return wrong('Temporal SDK', versions.join(', '), 'Install all of them in the same version: `npm ci`.');
}

function configuration({ config, configPath }: CliContext): Finding {
  const count = config.providers.length;
  const providers = `${count} provider${count === 1 ? '' : 's'}`;
  return fine('configuration', configPath === null ? `no longhaul.yaml, ${providers}` : `${configPath}, ${providers}`);
}

/** Checks Temporal. `work` gets a client while it answers. */
async function temporalFindings(
  context: CliContext,
  running: RunningStack | null,
  work: (client: Client) => Promise<void>,
): Promise<Finding[]> {
  const { yourTemporal } = await import('../../../stack/temporal-connection.ts');
  const { findTemporal, temporalVersion, withTemporal } = await import('../../../stack/temporal.ts');
  const { Client: TemporalClient } = await import('@temporalio/client');
  let source = 'yours';
  let target: TemporalTarget | null;
  try {
    target = await yourTemporal(context.config.temporal, context.env);
    if (target === null) {
      const program = await findTemporal(context.cacheDir, context.env);
      source = program === null ? 'not fetched yet' : `${program.source} ${program.version}, ${program.command}`;
      const server = running?.state.temporal ?? null;
      if (server === null) return [wrong('Temporal', `not running (${source})`, UP)];
      target = { connectionOptions: { address: server.address }, namespace: server.namespace };
    }
    const { namespace, connectionOptions } = target;
    const { host } = context.config;
    const rolesHere: readonly Role[] = [...ROLES, ...(host === undefined ? [] : [hostRole(host.name)])];
    return await withTemporal(target, async (connection) => {
      const version = await temporalVersion(connection, namespace);
      await work(new TemporalClient({ connection, namespace }));
      return [
        fine('Temporal', `${version} at ${connectionOptions.address}, namespace ${namespace} (${source})`),
        await searchAttributes(connection, namespace),
        ...(await Promise.all(rolesHere.map((role) => pollers(connection, namespace, role)))),
      ];
    });
  } catch (error) {
    return [wrong('Temporal', messageOf(error), 'Start that server, or correct its address or profile.')];
  }
}

async function searchAttributes(connection: Connection, namespace: string): Promise<Finding> {
  const { keywordSlots, SQL_KEYWORD_SLOTS } = await import('../../../stack/search-attributes.ts');
  const { used, missing } = await keywordSlots(connection, namespace);
  const found = `${used} Keyword in use, ${Math.max(0, SQL_KEYWORD_SLOTS - used)} of ${SQL_KEYWORD_SLOTS} free on an SQL store`;
  if (missing.length === 0) return fine('search attributes', found);
  const remedy = `Register ${missing.join(' and ')} as Keyword: \`longhaul up\` does this, also on your own server.`;
  return wrong('search attributes', `${found}; missing: ${missing.join(', ')}`, remedy);
}

async function pollers(connection: Connection, namespace: string, role: Role): Promise<Finding> {
  const queue = queueOfRole(role);
  const name = `task queue ${queue}`;
  const { default: proto } = await import('@temporalio/proto');
  const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
  const identities = new Set<string>();
  for (const taskQueueType of [TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY]) {
    const answer = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType,
    });
    for (const { identity } of answer.pollers) identities.add(identity ?? '');
  }
  const found = `${identities.size} worker${identities.size === 1 ? '' : 's'} polling`;
  if (identities.size > 0 || !COMMON_ROLES.some((common) => common === role)) return fine(name, found);
  return wrong(name, found, 'Start a worker: `longhaul up` runs one, `longhaul worker` adds one.');
}

async function weaviateFinding(context: CliContext, running: RunningStack | null): Promise<Finding> {
  const { findWeaviate, weaviateVersion } = await import('../../../stack/weaviate.ts');
  const { embeddedData, yourWeaviate } = await import('../../../stack/weaviate-connection.ts');
  const { diskProblem } = await import('./weaviate-disk.ts');
  let source = 'yours';
  let folder: string | null = null;
  try {
    let target: WeaviateTarget | null = yourWeaviate(context.config.weaviate, context.env);
    if (target === null) {
      const program = await findWeaviate(context.cacheDir, context.env);
      source = program === null ? 'not built yet' : `${program.source}, ${program.command}`;
      const server = running?.state.weaviate ?? null;
      if (server === null) return wrong('Weaviate', `not running (${source})`, UP);
      target = { ...server, apiKey: running?.weaviateApiKey ?? null };
      if (server.source !== 'yours') folder = embeddedData(context.dataDir);
    }
    const found = `${await weaviateVersion(target)} at ${target.url}, gRPC ${target.grpc} (${source})`;
    const problem = await diskProblem(target, { index: context.config.index.name, folder });
    if (problem === null) return fine('Weaviate', found);
    return wrong('Weaviate', `${found}; ${problem}`, FAILURES.WeaviateReadOnly.remedy);
  } catch (error) {
    return wrong('Weaviate', messageOf(error), 'Start that server, or correct its address or key.');
  }
}

async function postgresFinding(context: CliContext, running: RunningStack | null): Promise<Finding> {
  const { databaseVersion, placeOfDatabase } = await import('../../../stack/postgres.ts');
  const { yourDatabase } = await import('../../../stack/postgres-connection.ts');
  const { findPostgres } = await import('../../../stack/fetch-postgres.ts');
  const { checkVersion } = await import('../../../activities/ledger/migrate.ts');
  const name = 'PostgreSQL';
  let source = 'yours';
  try {
    let url = yourDatabase(context.env);
    if (url === null) {
      const program = await findPostgres(context.cacheDir);
      source = program === null ? 'not fetched yet' : `fetched, ${program}`;
      url = running?.databaseUrl ?? null;
      if (url === null) return wrong(name, `not running (${source})`, UP);
    }
    const { address, database } = placeOfDatabase(url);
    const found = `${await databaseVersion(url)} at ${address}, database ${database} (${source})`;
    try {
      await checkVersion(url);
      return fine(name, found);
    } catch (error) {
      const { message, remedy } = shownError(error);
      return wrong(name, `${found}; ${message}`, remedy ?? UP);
    }
  } catch (error) {
    return wrong(name, messageOf(error), 'Start that server, or correct DATABASE_URL.');
  }
}

function modelFinding(context: CliContext, running: RunningStack | null): Finding {
  const { models, index } = context.config;
  const served = models[index.model];
  if (served !== undefined) {
    const what = served.type === 'openai' ? `${served.model} at ${served.url}` : `${served.module} of Weaviate`;
    const { apiKeyEnv } = served;
    if (apiKeyEnv === undefined || context.env[apiKeyEnv]) return fine('model', `${index.model}: ${what}`);
    return wrong('model', `${index.model}: ${what}, ${apiKeyEnv} is not set`, `Set ${apiKeyEnv}.`);
  }
  const given = context.env['LONGHAUL_MODEL_DIR'] ?? context.config.index.modelPath;
  const folder = given ?? running?.state.modelFolder ?? null;
  if (folder === null) return fine('model', 'not running; `longhaul up` prepares it');
  const missing = ['model.onnx', 'tokenizer.json'].filter((file) => !existsSync(join(folder, file)));
  if (missing.length === 0) return fine('model', folder);
  const remedy =
    given === undefined ? `Remove ${folder} and run \`longhaul up\` again.` : 'Correct the path of the model.';
  return wrong('model', `${missing.join(', ')} missing in ${folder}`, remedy);
}

/** The optional package that runs transformer models: it distils the static model and rescores search results. */
async function onnxRuntime({ config }: CliContext): Promise<Finding> {
  const name = 'onnxruntime-node';
  const { loadOnnxRuntime, ONNX_RUNTIME_REMEDY } = await import('../../../activities/index/models/onnx-runtime.ts');
  try {
    const { node, common } = loadOnnxRuntime().env.versions;
    return fine(name, node ?? common);
  } catch (error) {
    if (config.models[config.index.model] !== undefined)
      return fine(name, 'not installed and not needed: a server provides the model');
    return wrong(name, messageOf(error).split(/(?<=[.]) /, 1)[0] ?? '', ONNX_RUNTIME_REMEDY);
  }
}

async function diskSpace(name: string, folder: string): Promise<Finding> {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const found = `${folder}, ${(free / 1e9).toFixed(1)} GB free`;
  if (free >= ENOUGH_SPACE) return fine(name, found);
  return wrong(name, found, `Free at least ${ENOUGH_SPACE / 1e9} GB, or choose another folder.`);
}
