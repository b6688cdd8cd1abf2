import { join } from 'node:path';
import type { Need, StackOptions } from './options.ts';
import { fetchPostgres } from './fetch-postgres.ts';
import { choosePorts, occupyPort, type PortNeed } from './ports.ts';
import { createLedgerDatabase, databaseVersion, placeOfDatabase, preparePostgres } from './postgres.ts';
import { embeddedDatabase, yourDatabase } from './postgres-connection.ts';
import { ledgerKeyFile, weaviateKeyFile } from './running-stack.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { ensureSecret } from './secret.ts';
import { serverEnvironment } from './server-environment.ts';
import type { Session } from './session.ts';
import { type TemporalTarget, yourTemporal } from './temporal-connection.ts';
import { obtainTemporal, type ServerProgram, temporalChild, temporalVersion, withTemporal } from './temporal.ts';
import { obtainWeaviate, weaviateChild, weaviateVersion } from './weaviate.ts';
import { type WeaviateTarget, yourWeaviate } from './weaviate-connection.ts';

/**
 * Fetches and starts the embedded servers among the needs, or connects to the user's own ones, and registers the search
 * attributes. The first failure makes the session give up.
 */
export async function startStackServers(session: Session, needs: readonly Need[]): Promise<void> {
  const { options } = session;
  const temporal = needs.includes('temporal') ? await yourTemporal(options.temporal ?? {}, options.env) : null;
  const weaviate = needs.includes('weaviate') ? yourWeaviate(options.weaviate ?? {}, options.env) : null;
  const database = needs.includes('postgres') ? yourDatabase(options.env) : null;
  const fetching = {
    cacheDir: options.cacheDir,
    env: session.env,
    onProgress: session.onProgress,
    signal: session.signal,
  };
  const embedTemporal = needs.includes('temporal') && temporal === null;
  const embedWeaviate = needs.includes('weaviate') && weaviate === null;
  const embedPostgres = needs.includes('postgres') && database === null;
  const programs = {
    temporal: embedTemporal ? await obtainTemporal(fetching) : null,
    weaviate: embedWeaviate ? await obtainWeaviate(fetching) : null,
    postgres: embedPostgres ? await fetchPostgres(fetching) : null,
  };
  const needed = [
    ...(embedTemporal ? temporalPorts(options) : []),
    ...(embedWeaviate ? weaviatePorts(options) : []),
    ...(embedPostgres ? postgresPorts(options) : []),
  ];
  const ports = await choosePorts(needed, session.state().ports);
  session.update({ ports: { ...session.state().ports, ...ports } });

  const starts = [
    temporal === null ? undefined : useTemporal(session, temporal),
    weaviate === null ? undefined : useWeaviate(session, weaviate),
    database === null ? undefined : useDatabase(session, database),
    programs.temporal === null ? undefined : startTemporal(session, programs.temporal, ports),
    programs.weaviate === null ? undefined : startWeaviate(session, programs.weaviate, ports),
    programs.postgres === null ? undefined : startPostgres(session, programs.postgres, ports),
  ];
  const results = await Promise.allSettled(
    starts.map(async (start) => {
      try {
        await start;
      } catch (error) {
        session.giveUp(error);
        throw error;
      }
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function temporalPorts(options: StackOptions): PortNeed[] {
  return [
    { name: 'temporal', configured: options.ports?.temporal ?? 0, key: 'stack.temporalPort' },
    { name: 'temporalUi', configured: options.ports?.temporalUi ?? 0, key: 'stack.temporalUiPort' },
  ];
}

function weaviatePorts(options: StackOptions): PortNeed[] {
  return [
    { name: 'weaviate', configured: options.ports?.weaviate ?? 0, key: 'stack.weaviatePort' },
    { name: 'weaviateGrpc', configured: 0, everywhere: true },
    // A node in `localhost` mode expects these two ports to be consecutive.
    { name: 'weaviateGossip', configured: 0, next: { name: 'weaviateData', everywhere: true } },
    { name: 'weaviateRaft', configured: 0, next: { name: 'weaviateRaftRpc' } },
  ];
}

function postgresPorts(options: StackOptions): PortNeed[] {
  return [{ name: 'postgres', configured: options.ports?.postgres ?? 0, key: 'stack.postgresPort' }];
}

async function useTemporal(session: Session, target: TemporalTarget): Promise<void> {
  const { namespace, connectionOptions } = target;
  const version = await withTemporal(target, async (connection) => {
    const found = await temporalVersion(connection, namespace);
    await registerSearchAttributes(connection, namespace);
    return found;
  });
  session.update({
    temporal: { address: connectionOptions.address, uiUrl: null, namespace, source: 'yours', version },
  });
}

async function startTemporal(session: Session, program: ServerProgram, ports: Record<string, number>): Promise<void> {
  const { options } = session;
  const port = portNamed('temporal', ports);
  const uiPort = portNamed('temporalUi', ports);
  const namespace = options.env['TEMPORAL_NAMESPACE'] ?? options.temporal?.namespace ?? 'default';
  session.onProgress({
    about: 'temporal',
    message: `starting (${program.source}, ${program.command})`,
    passing: false,
  });
  await session.supervise(
    temporalChild({
      command: program.command,
      dataDir: session.dataDir,
      logFile: join(session.logDir, 'temporal.log'),
      env: serverEnvironment(options.env, session.dataDir),
      port,
      uiPort,
      namespace,
      logLevel: options.temporalLogLevel ?? 'warn',
      extraArgs: options.temporalExtraArgs ?? [],
    }),
  );
  const address = `127.0.0.1:${port}`;
  const version = await withTemporal({ connectionOptions: { address }, namespace }, async (connection) => {
    await registerSearchAttributes(connection, namespace);
    return temporalVersion(connection, namespace);
  });
  const uiUrl = `http://127.0.0.1:${uiPort}`;
  session.update({ temporal: { address, uiUrl, namespace, source: program.source, version } });
  session.onProgress({ about: 'temporal', message: `ready at ${address}`, passing: false });
}

async function useWeaviate(session: Session, target: WeaviateTarget): Promise<void> {
  const version = await weaviateVersion(target);
  session.update({ weaviate: { url: target.url, grpc: target.grpc, source: 'yours', version } });
}

async function startWeaviate(session: Session, program: ServerProgram, ports: Record<string, number>): Promise<void> {
  const { options } = session;
  const rest = portNamed('weaviate', ports);
  const grpc = portNamed('weaviateGrpc', ports);
  const data = portNamed('weaviateData', ports);
  const apiKey = ensureSecret(weaviateKeyFile(session.dataDir));
  session.afterStop(await occupyPort(data));
  session.onProgress({
    about: 'weaviate',
    message: `starting (${program.source}, ${program.command})`,
    passing: false,
  });
  await session.supervise(
    weaviateChild({
      command: program.command,
      dataDir: session.dataDir,
      logFile: join(session.logDir, 'weaviate.log'),
      env: serverEnvironment(options.env, session.dataDir),
      apiKey,
      modules: options.weaviate?.modules ?? [],
      proxies: options.env,
      ports: {
        rest,
        grpc,
        gossip: portNamed('weaviateGossip', ports),
        data,
        raft: portNamed('weaviateRaft', ports),
        raftRpc: portNamed('weaviateRaftRpc', ports),
      },
    }),
  );
  const target = { url: `http://127.0.0.1:${rest}`, grpc: `127.0.0.1:${grpc}` };
  const version = await weaviateVersion({ ...target, apiKey });
  session.update({ weaviate: { ...target, source: program.source, version } });
  session.onProgress({ about: 'weaviate', message: `ready at ${target.url}`, passing: false });
}

async function useDatabase(session: Session, url: string): Promise<void> {
  const version = await databaseVersion(url);
  session.update({ postgres: { ...placeOfDatabase(url), source: 'yours', version } });
}

async function startPostgres(session: Session, program: string, ports: Record<string, number>): Promise<void> {
  const { options, dataDir } = session;
  const port = portNamed('postgres', ports);
  const password = ensureSecret(join(dataDir, 'postgres.key'));
  const ownerPassword = ensureSecret(ledgerKeyFile(dataDir));
  session.onProgress({ about: 'postgres', message: `starting (fetched, ${program})`, passing: false });
  const env = serverEnvironment(options.env, dataDir);
  const logFile = join(session.logDir, 'postgres.log');
  await session.supervise(await preparePostgres({ program, dataDir, logFile, port, password, env }, session.signal));
  await createLedgerDatabase({ port, password }, ownerPassword);
  const url = embeddedDatabase(`127.0.0.1:${port}`, ownerPassword);
  const version = await databaseVersion(url);
  const place = placeOfDatabase(url);
  session.update({ postgres: { ...place, source: 'fetched', version } });
  session.onProgress({ about: 'postgres', message: `ready at ${place.address}`, passing: false });
}

function portNamed(name: string, ports: Record<string, number>): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`no port was chosen for ${name}`);
  return port;
}
