import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { vi } from 'vitest';
import type { Cluster } from './cluster.ts';

/** The version of the Gateway API, and the checksum that Go has of it. */
const VERSION = 'v1.3.0';
const SUM = 'h1:q6okN+/UKDATola4JY7zXzx40WO4VISk7i9DIfOvr9M=';

/** Lets a cluster serve the HTTPRoute of the Gateway API. */
export async function defineHttpRoutes(cluster: Cluster): Promise<void> {
  await cluster.apply(await httpRouteDefinition(), '--server-side');
  const wait = ['wait', '--for=condition=Established', 'crd/httproutes.gateway.networking.k8s.io'];
  // it fails at once while the definition has no conditions at all
  await vi.waitFor(() => cluster.kubectl(wait), { timeout: 60_000, interval: 300 });
}

/** The definition as YAML, from the Go module of the Gateway API, which is fetched once into Go's cache. */
async function httpRouteDefinition(): Promise<string> {
  const args = ['mod', 'download', '-json', `sigs.k8s.io/gateway-api@${VERSION}`];
  const { stdout } = await execa('go', args, { cwd: tmpdir(), env: { GOFLAGS: '-mod=mod' } });
  const { Dir: folder, Sum: sum } = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string };
  if (sum !== SUM) throw new Error(`The Gateway API ${VERSION} has the checksum ${sum}, not ${SUM}.`);
  return readFile(join(folder, 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'), 'utf8');
}
