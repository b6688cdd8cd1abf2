import { matchesAny, parsePattern } from '../../domain/catalog/pattern.ts';
import type { Config } from '../../domain/config.schema.ts';
import { LonghaulError } from '../../domain/failures.ts';

/**
 * Tells whether a repository of this id, or of this pattern, is to be indexed when its forge says that it is there: it
 * matches `gateway.onboard`. Throws `InvalidConfiguration` for a pattern that is none.
 */
export function wanted({ gateway, providers }: Config): (id: string) => boolean {
  const names = providers.map(({ name }) => name);
  const patterns = gateway.onboard.map((text) => {
    try {
      return parsePattern(text, names);
    } catch (error) {
      if (!(error instanceof LonghaulError)) throw error;
      throw new LonghaulError('InvalidConfiguration', `gateway.onboard: ${error.message}`, { cause: error });
    }
  });
  return (id) => matchesAny(patterns, id);
}
