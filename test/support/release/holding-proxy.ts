// `kubectl proxy` for holdingKubectl: `HOLDS --context=… proxy … --unix-socket=PATH`. When HOLDS/next is there, it keeps the
// answer to the next question for an object back, as HOLDS/….held, until that is removed.
import { fork } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProxyEvent } from '../../../activities/kubernetes/kubectl-proxies.ts';

const [holds = '', ...given] = process.argv.slice(2);
const SOCKET = '--unix-socket=';
/** `/api/v1/namespaces/shop/configmaps/settings`, and what is in a group. */
const OBJECT = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)\/namespaces\/[^/]+\/[^/]+\/[^/?]+$/u;
let held = 0;

// the process that ends with its parent also ends kubectl with this one
const real = fork(
  fileURLToPath(new URL('../../../activities/kubernetes/proxy-process.ts', import.meta.url)),
  ['kubectl', ...given.filter((each) => !each.startsWith(SOCKET))],
  { execArgv: [] },
);
real.once('message', (event: ProxyEvent) => {
  if (event.type !== 'serves') throw new Error(JSON.stringify(event));
  serve(event.socket);
});
real.once('exit', () => process.exit(1));

function serve(socketPath: string): void {
  const own = given.find((each) => each.startsWith(SOCKET))?.slice(SOCKET.length);
  createServer((request, response) => {
    const { url: path = '', method = '', headers } = request;
    const asked = send({ socketPath, path, method, headers }, (answer) => {
      (async () => {
        const hold = method === 'GET' && OBJECT.test(path) ? begin() : null;
        const body = await text(answer);
        if (hold !== null) await untilLetGo(hold);
        response.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
      })().catch(() => response.destroy());
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  }).listen(own, () => process.stdout.write('Starting to serve on a socket\n'));
}

/** The hold that this question takes; null when none is asked for. */
function begin(): string | null {
  try {
    rmSync(join(holds, 'next'));
  } catch {
    return null;
  }
  return join(holds, `${process.pid}-${held++}`);
}

async function untilLetGo(hold: string): Promise<void> {
  writeFileSync(`${hold}.begun`, '');
  renameSync(`${hold}.begun`, `${hold}.held`);
  while (existsSync(`${hold}.held`)) await delay(100);
}
