/** The jobs of a pipeline by name, with the names of the jobs that they need. */
export type Needs = Readonly<Record<string, { readonly needs: readonly string[] }>>;

/** A cycle of `needs`, from a job back to itself: `['a', 'b', 'a']`; null when there is none. */
export function cycleOf(jobs: Needs): string[] | null {
  const done = new Set<string>();
  for (const start of Object.keys(jobs)) {
    // depth first, without recursion: a chain may have as many jobs as the file
    const path: { name: string; left: string[] }[] = [{ name: start, left: [...(jobs[start]?.needs ?? [])] }];
    const onPath = new Set([start]);
    while (path.length > 0) {
      const here = path.at(-1);
      const next = here?.left.shift();
      if (here === undefined) break;
      if (next === undefined) {
        path.pop();
        onPath.delete(here.name);
        done.add(here.name);
      } else if (onPath.has(next)) {
        const names = path.map(({ name }) => name);
        return [...names.slice(names.indexOf(next)), next];
      } else if (!done.has(next) && jobs[next] !== undefined) {
        onPath.add(next);
        path.push({ name: next, left: [...jobs[next].needs] });
      }
    }
  }
  return null;
}
