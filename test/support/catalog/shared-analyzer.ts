import { type AnalyzerChoice, type IndexPlaces, openAnalyzer } from '../../../activities/catalog/open-index.ts';
import type { Analyzer } from '../../../activities/index/analysis/analyzer.ts';
import type { LoadedConfig } from '../../../activities/shared/config.ts';

/** By model, size limit and folders: everything that a built-in model's analyzer depends on. */
const opened = new Map<string, Promise<Analyzer>>();

/**
 * `openAnalyzer` for the tests of one process: estates with the same built-in model share its threads, which take
 * seconds of processor time to start. It lives as long as the process. A served model belongs to its test, with its
 * endpoint and keys.
 */
export function openSharedAnalyzer(
  loaded: Pick<LoadedConfig, 'config' | 'cacheDir'>,
  places: IndexPlaces,
  env: NodeJS.ProcessEnv,
  choice: AnalyzerChoice = {},
): Promise<Analyzer> {
  const type = choice.model?.type ?? loaded.config.index.model;
  if (type !== 'static' && type !== 'onnx') return openAnalyzer(loaded, places, env, choice);
  const maxFileBytes = choice.maxFileBytes ?? loaded.config.index.maxFileBytes;
  const key = JSON.stringify([type, maxFileBytes, loaded.cacheDir, places.modelFolder]);
  const known = opened.get(key);
  if (known) return known;
  const analyzer = openAnalyzer(loaded, places, env, choice).then((own) => ({
    ...own,
    close: () => Promise.resolve(),
  }));
  opened.set(key, analyzer);
  analyzer.catch(() => opened.delete(key));
  return analyzer;
}
