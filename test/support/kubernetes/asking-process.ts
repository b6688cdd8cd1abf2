// A process that asks a cluster through `kubectl proxy`, prints that it has an answer, and stays: tests kill it.
import { createKubectl } from '../../../activities/kubernetes/kubectl.ts';

const { env } = process;
const kubectl = createKubectl({ program: env['ASKING_KUBECTL'] ?? '', kubeconfig: env['ASKING_CONFIG'] ?? '', env });
await kubectl.ask('staging', { method: 'GET', path: '/version' });
process.stdout.write('answered\n');
setInterval(() => undefined, 60_000);
