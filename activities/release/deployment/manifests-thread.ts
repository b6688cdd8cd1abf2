import { parentPort } from 'node:worker_threads';
import { readManifests } from './manifests.ts';

/** Manifests that the thread reads. */
export interface ManifestsThreadTask {
  /** The stream of documents. */
  readonly bytes: Uint8Array;
  /** Of objects that name none. */
  readonly namespace: string;
  /** What they are, for messages. */
  readonly about: string;
}

parentPort?.on('message', ({ bytes, namespace, about }: ManifestsThreadTask) => {
  parentPort?.postMessage(readManifests(Buffer.from(bytes).toString('utf8'), namespace, about), []);
});
