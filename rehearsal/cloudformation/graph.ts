/** What depends on what, and walking it: each node when those before it are done, all that are ready at once. */

export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** @returns the nodes of a cycle, or undefined */
export function findCycle(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    if (path.includes(node)) return path.slice(path.indexOf(node));
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/**
 * Visit every node after those that it depends on. A node behind one that failed is not visited; neither is any that has
 * not begun when the signal is aborted. Never rejects.
 *
 * @returns those that failed, with what they threw
 */
export async function walk(
  graph: Graph,
  visit: (node: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  const runs = new Map<string, Promise<boolean>>();
  const run = (node: string): Promise<boolean> => {
    const known = runs.get(node);
    if (known !== undefined) return known;
    const begun = (async () => {
      const before = [...(graph.get(node) ?? [])].filter((dependency) => graph.has(dependency));
      const succeeded = await Promise.all(before.map(run));
      if (!succeeded.every(Boolean) || signal?.aborted) return false;
      try {
        await visit(node);
        return true;
      } catch (error) {
        failures.set(node, error);
        return false;
      }
    })();
    runs.set(node, begun);
    return begun;
  };
  await Promise.all([...graph.keys()].map(run));
  return failures;
}
