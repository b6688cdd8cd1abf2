import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The workspace of Graft's golden files: two folders that are no repositories, of which one needs the other. */
export function graftFixture(root: string): void {
  const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
  for (const name of ['req_llm', 'jido_ai']) mkdirSync(join(root, name), { recursive: true });
  write(
    'graft.exs',
    `%{
  root: ".",
  siblings: [
    %{name: :req_llm, path: "req_llm"},
    %{name: :jido_ai, path: "jido_ai"}
  ]
}
`,
  );
  write('req_llm/mix.exs', mixExs('ReqLlm', 'req_llm', '[]'));
  write('jido_ai/mix.exs', mixExs('JidoAi', 'jido_ai', '[{:req_llm, "~> 1.0"}]'));
}

function mixExs(module: string, app: string, deps: string): string {
  return `defmodule ${module}.MixProject do
  use Mix.Project
  def project, do: [app: :${app}, version: "0.1.0", deps: deps()]
  defp deps, do: ${deps}
end
`;
}

/** The text of JSON with the root, times and durations as in Graft's golden files. */
export function asGolden(text: string, root: string): string {
  return text
    .replaceAll(root, '<ROOT>')
    .replaceAll(/("generated_at":\s*)"[^"]*"/g, '$1"<GENERATED_AT>"')
    .replaceAll(/("duration_ms":\s*)\d+/g, '$10');
}
