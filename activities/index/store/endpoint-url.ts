/**
 * The URL of the module `name` in the folder of the module at `url`, with that one's extension: `.ts` in the sources, `.js` where
 * they are compiled. For modules that run in another thread or process, where no import names them.
 */
export function beside(url: string, name: string): string {
  return new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url).href;
}
