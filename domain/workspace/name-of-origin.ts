/** The name of a repository by its address: the last part, without `.git`. */
export function nameOfOrigin(origin: string): string {
  return origin
    .replace(/\/+$/, '')
    .replace(/^.*[/:]/, '')
    .replace(/\.git$/, '');
}
