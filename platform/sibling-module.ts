/**
 * The URL of the module `name` in the same folder as the module at `url`, with the same extension: `.ts` in the
 * sources, `.js` when compiled. For modules that run in another thread or process and are not imported.
 */
export function siblingModule(url: string, name: string): string {
  return new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url).href;
}
