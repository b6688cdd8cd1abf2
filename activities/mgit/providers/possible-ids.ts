import { isRepositoryId, type Repository } from '../../../domain/git/repository.ts';
import type { OnPassedOver, Provider } from './provider.ts';

/** A provider without the repositories whose names cannot be ids: a listing passes them over. */
export function withPossibleIds(provider: Provider): Provider {
  const listWithHeads = provider.listWithHeads?.bind(provider);
  return {
    ...provider,
    async list(patterns, signal, onPassedOver) {
      return possible(await provider.list(patterns, signal, onPassedOver), onPassedOver);
    },
    ...(listWithHeads && {
      async listWithHeads(patterns, signal) {
        return possible(await listWithHeads(patterns, signal));
      },
    }),
    async locate(requested, signal) {
      const located = await provider.locate(requested, signal);
      return located.map((found) => (found && isRepositoryId(found.id) ? found : null));
    },
  };
}

/** Reports a repository whose name cannot be an id. */
export function passOverName(onPassedOver: OnPassedOver | undefined, place: string, id: string): void {
  onPassedOver?.(place, `${JSON.stringify(id)} cannot be an id`);
}

function possible<Found extends Repository>(listed: readonly Found[], onPassedOver?: OnPassedOver): Found[] {
  return listed.filter(({ id, cloneUrl }) => {
    const isPossible = isRepositoryId(id);
    if (!isPossible) passOverName(onPassedOver, cloneUrl, id);
    return isPossible;
  });
}
