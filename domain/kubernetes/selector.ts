import type { KubernetesObject } from './object.ts';

/** Names and values of labels. */
export type Labels = Readonly<Record<string, string>>;

/** What a Service selects; empty for one that selects nothing by labels. */
export function selectorOf(service: KubernetesObject): Labels {
  return ((service['spec'] ?? {}) as { readonly selector?: Labels }).selector ?? {};
}

/** The labels of a workload's pods; null for an object without a template of pods. */
export function podLabelsOf(workload: KubernetesObject): Labels | null {
  const { template } = (workload['spec'] ?? {}) as { readonly template?: { readonly metadata?: { labels?: Labels } } };
  return template === undefined ? null : (template.metadata?.labels ?? {});
}

/** The labels by which a workload knows its pods, which never change; without its expressions. */
export function ownPodsOf(workload: KubernetesObject): Labels {
  const { selector } = (workload['spec'] ?? {}) as { readonly selector?: { readonly matchLabels?: Labels } };
  return selector?.matchLabels ?? {};
}

/** True when a Service with this selector sends requests to pods with these labels. An empty selector selects nothing. */
export function selects(selector: Labels, labels: Labels | null): boolean {
  const entries = Object.entries(selector);
  return labels !== null && entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

/** The labels that all of these have. */
export function sharedLabels([first = {}, ...others]: readonly Labels[]): Labels {
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((labels) => labels[name] === value)),
  );
}

/** Those of the labels that have one of these names. */
export function labelsNamed(names: readonly string[], labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)));
}
