import { describe, expect, test } from 'vitest';
import { chunk } from '../../../activities/index/analysis/chunker.ts';
import { definitionLines } from '../../../activities/index/analysis/definition-lines.ts';
import { answersInThread } from '../../support/answer-in-thread.ts';

describe('definitions by their lines', () => {
  test.each([
    [
      'Swift',
      'public final class Session: Sendable {\n    open func request(_ url: URL) -> Request {\n',
      ['Session', 'request'],
    ],
    ['Swift', '@objc protocol Cancellable {}\nextension Array where Element: Hashable {\n', ['Cancellable', 'Array']],
    [
      'Elixir',
      'defmodule Phoenix.Router do\n  @doc false\n  defp build_scope(opts), do: opts\n',
      ['Router', 'build_scope'],
    ],
    [
      'Haskell',
      'module Data.Text.Lazy where\nunpack :: Text -> String\nunpack = go\ndata Step s = Done\n',
      ['Lazy', 'unpack', 'Step'],
    ],
    ['Zig', 'pub const ArrayList = struct {\n    pub fn append(self: *Self) !void {\n', ['ArrayList', 'append']],
    ['Dart', 'abstract class Widget {\n  final Key? key;\n}\nmixin Ticker on State {}\n', ['Widget', 'Ticker']],
    ['OCaml', 'let rec fold_left f acc = ()\nmodule Make (M : S) = struct\n', ['fold_left', 'Make']],
    ['Clojure', '(defn- parse-line [line])\n(defrecord Point [x y])\n', ['parse', 'Point']],
    ['R', 'read_table <- function(path) {\n', ['read_table']],
    ['F#', 'let (|>) x f = f x\nlet (>>=) m f = m\n', ['|>', '>>=']],
    ['Nim', 'const lib = require("lib")\nlet fs = await import("fs")\nproc open(path: string) =\n', ['open']],
    ['PureScript', 'type family F a\ndata instance X = Y\nclass Show a where\n', ['Show']],
    [
      'SQL',
      'CREATE TABLE IF NOT EXISTS app."Orders" (id int);\ncreate or replace function public.total(a int) returns int\nCREATE UNIQUE INDEX CONCURRENTLY by_day ON x (y);\nSELECT 1;\n',
      ['Orders', 'total', 'by_day'],
    ],
    [
      'Protocol Buffer',
      'syntax = "proto3";\nmessage Order {\n  message Line {}\n  oneof paid { string card = 1; }\n}\nservice Orders {\n  rpc Place(Order) returns (Order);\n}\n',
      ['Order', 'Line', 'paid', 'Orders', 'Place'],
    ],
    [
      'GraphQL',
      'type Query {\n  "the order"\n  order(id: ID!, at: Date): Order\n  orders: [Order!]\n}\ninput OrderInput { id: ID! }\ndirective @auth on FIELD\n',
      ['Query', 'order', 'orders', 'OrderInput', 'auth'],
    ],
    [
      'HCL',
      'resource "aws_s3_bucket" "logs" {\n}\nvariable "region" {}\nmodule "network" {\n  source = "x"\n}\n',
      ['logs', 'region', 'network'],
    ],
    [
      'Vue',
      '<template><p>type x</p></template>\n<script setup lang="ts">\n  import A from "a";\n  const total = computed(() => 1);\n  function place() {\n    const inner = 1;\n  }\n</script>\n',
      ['total', 'place'],
    ],
    [
      'Svelte',
      '<script>\n\texport let name;\n\tconst greet = () => 1;\n</script>\n<h1>{name}</h1>\n',
      ['name', 'greet'],
    ],
    [
      'YAML',
      'openapi: 3.1.0\npaths:\n  /orders:\n    get:\n      operationId: listOrders\ncomponents:\n  schemas:\n    Order:\n      type: object\n    Line:\n      type: object\n',
      ['listOrders', 'Order', 'Line'],
    ],
    [
      'JSON',
      '{\n  "swagger": "2.0",\n  "paths": { "/a": { "get": {\n    "operationId": "getA"\n  } } },\n  "definitions": {\n    "Pet": {\n      "type": "object"\n    }\n  }\n}\n',
      ['getA', 'Pet'],
    ],
    ['YAML', 'services:\n  schemas:\n    image: x\n', []],
  ])('%s', (language, text, names) => {
    expect(definitionLines(text, language).map(({ name }) => name)).toEqual(names);
  });

  test('points at the name', () => {
    const text = '\n  func run() {}\n';
    expect(definitionLines(text, 'Swift').map(({ at, name }) => text.slice(at, at + name.length))).toEqual(['run']);
  });

  test('calls, variables of functions and sentences define nothing', () => {
    expect(definitionLines('  let x = 1\n  return class_of(y)\n// the class is final\nfoo(func)\n', 'Swift')).toEqual(
      [],
    );
  });

  test('a program without a grammar has symbols, prose has none', async () => {
    expect((await chunk('proc open() =\n', 'Nim'))[0]?.symbols).toEqual(['open']);
    expect((await chunk('message Order {}\n', 'Protocol Buffer'))[0]?.symbols).toEqual(['Order']);
    expect((await chunk('class Session is explained here.\n', 'Markdown'))[0]?.symbols).toEqual([]);
  });

  test('answers for texts designed to be slow', async () => {
    const texts = ['public static final '.repeat(20_000), ' '.repeat(200_000), `${'a.'.repeat(100_000)}\n`];
    const module = new URL('../../../activities/index/analysis/definition-lines.ts', import.meta.url);
    const calls = texts.map((text) => [text, 'Nim']);
    expect(await answersInThread(module, 'definitionLines', calls)).toEqual([[], [], []]);
  });
});
