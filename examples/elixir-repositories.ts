/** A repository that is written here: Hex has no archives that `mix` can build without its own registry. */
export interface WrittenRepository {
  readonly path: string;
  /** By path. */
  readonly files: Readonly<Record<string, string>>;
}

/** Two Elixir projects, of which the second one needs the first one. */
export const ELIXIR_REPOSITORIES: readonly WrittenRepository[] = [
  {
    path: 'elixir/ledger_core',
    files: {
      '.formatter.exs': '[inputs: ["{mix,.formatter}.exs", "{lib,test}/**/*.{ex,exs}"]]\n',
      'mix.exs': mix('ledger_core', '1.4.0', []),
      'lib/ledger_core.ex': `defmodule LedgerCore do
  @doc "The sum of amounts in cents."
  def total(amounts), do: Enum.sum(amounts)
end
`,
      'test/ledger_core_test.exs': `defmodule LedgerCoreTest do
  use ExUnit.Case, async: true

  test "the total of amounts" do
    assert LedgerCore.total([1, 2, 3]) == 6
  end
end
`,
      'test/test_helper.exs': 'ExUnit.start()\n',
    },
  },
  {
    path: 'elixir/ledger_report',
    files: {
      '.formatter.exs': '[inputs: ["{mix,.formatter}.exs", "{lib,test}/**/*.{ex,exs}"]]\n',
      'mix.exs': mix('ledger_report', '0.9.0', ['{:ledger_core, "~> 1.4"}']),
      'lib/ledger_report.ex': `defmodule LedgerReport do
  @doc "A line with the total of amounts in cents."
  def line(amounts), do: "total: #{LedgerCore.total(amounts)}"
end
`,
      'test/ledger_report_test.exs': `defmodule LedgerReportTest do
  use ExUnit.Case, async: true

  test "the line of amounts" do
    assert LedgerReport.line([1, 2]) == "total: 3"
  end
end
`,
      'test/test_helper.exs': 'ExUnit.start()\n',
    },
  },
];

function mix(app: string, version: string, deps: readonly string[]): string {
  const name = app.replaceAll(/(?:^|_)([a-z])/gu, (_match, letter: string) => letter.toUpperCase());
  return `defmodule ${name}.MixProject do
  use Mix.Project

  def project do
    [
      app: :${app},
      version: "${version}",
      elixir: "~> 1.14",
      deps: deps()
    ]
  end

  def application, do: [extra_applications: [:logger]]

  defp deps do
    [${deps.length === 0 ? '' : `\n      ${deps.join(',\n      ')}\n    `}]
  end
end
`;
}
