import { DatabaseSync } from 'node:sqlite';

/** The tables of gryt 1.1.8, as it creates them. */
const SCHEMA = `
CREATE TABLE pipelines (pipeline_id TEXT PRIMARY KEY, name TEXT, start_timestamp TEXT, end_timestamp TEXT, status TEXT, config_json TEXT);
CREATE TABLE generations (generation_id TEXT PRIMARY KEY, version TEXT UNIQUE, description TEXT, status TEXT DEFAULT 'draft',
  pipeline_template TEXT, created_at TEXT, promoted_at TEXT, created_by TEXT, promoted_by TEXT, sync_status TEXT DEFAULT 'not_synced',
  remote_id TEXT, last_synced_at TEXT, team_id TEXT);
CREATE TABLE generation_changes (change_id TEXT PRIMARY KEY, generation_id TEXT, type TEXT, title TEXT, description TEXT,
  status TEXT DEFAULT 'pending', created_at TEXT, pipeline TEXT);
CREATE TABLE evolutions (evolution_id TEXT PRIMARY KEY, generation_id TEXT, change_id TEXT, code_name TEXT UNIQUE, tag TEXT,
  status TEXT DEFAULT 'pending', pipeline_run_id TEXT, started_at TEXT, completed_at TEXT, created_by TEXT, sync_status TEXT,
  remote_id TEXT, last_synced_at TEXT);
CREATE TABLE change_pipelines (id INTEGER PRIMARY KEY AUTOINCREMENT, change_id TEXT, generation_id TEXT, pipeline_name TEXT,
  is_primary INTEGER, created_at TEXT, created_by TEXT, UNIQUE (change_id, generation_id, pipeline_name));
CREATE TABLE audit_events (event_id TEXT PRIMARY KEY, timestamp TEXT, event_type TEXT, resource_type TEXT, resource_id TEXT, action TEXT,
  status TEXT DEFAULT 'success', actor TEXT DEFAULT 'system', details_json TEXT);
CREATE TABLE snapshots (snapshot_id TEXT PRIMARY KEY, label TEXT, created_at TEXT, db_size_bytes INTEGER);
`;

/** Rows that the ledger can have, and rows of every kind that it cannot. */
const ROWS = `
INSERT INTO generations (generation_id, version, description, status, pipeline_template, created_at, promoted_at, created_by, promoted_by) VALUES
  ('gen-1', 'v1.0.0', 'the first', 'promoted', 'full-ci', '2024-01-10 09:00:00', '2024-01-20T14:30:00+02:00', 'ada', 'grace'),
  ('gen-2', '1.1.0', NULL, 'active', NULL, '2024-02-01 09:00:00', NULL, NULL, NULL),
  ('gen-3', 'v1.2.0', NULL, 'promoted', NULL, '2024-02-02 09:00:00', '2024-02-03 09:00:00', 'ada', 'ada'),
  ('gen-4', 'v1.3.0', NULL, 'abandoned', NULL, '2024-02-02 09:00:00', NULL, 'ada', NULL),
  ('gen-5', 'next', NULL, 'draft', NULL, '2024-02-02 09:00:00', NULL, 'ada', NULL);
INSERT INTO generation_changes (change_id, generation_id, type, title, status, created_at) VALUES
  ('FEAT-201', 'gen-1', 'add', 'OAuth2 login support', 'pending', '2024-01-10 09:00:00'),
  ('FIX-7', 'gen-1', 'fix', 'a leak', 'pending', '2024-01-10 09:00:00'),
  ('lower-1', 'gen-1', 'fix', 'an id of another form', 'pending', '2024-01-10 09:00:00'),
  ('FEAT-202', 'gen-2', 'add', 'more', 'pending', '2024-02-01 09:00:00'),
  ('FEAT-203', 'gen-3', 'add', 'lost', 'pending', '2024-02-01 09:00:00');
INSERT INTO change_pipelines (change_id, generation_id, pipeline_name, is_primary) VALUES ('FIX-7', 'gen-1', 'quick', 1);
INSERT INTO evolutions (evolution_id, generation_id, change_id, code_name, tag, status, started_at, completed_at, created_by) VALUES
  ('e-1', 'gen-1', 'FEAT-201', 'grand-tender-panther', NULL, 'fail', '2024-01-11 10:00:00', '2024-01-11 10:05:00', 'ada'),
  ('e-2', 'gen-1', 'FEAT-201', 'calm-green-owl', 'v1.0.0-rc.4', 'pass', '2024-01-12 10:00:00', '2024-01-12 10:05:00', 'ada'),
  ('e-3', 'gen-1', 'FIX-7', 'old-quick-fox', NULL, 'running', '2024-01-13 10:00:00', NULL, NULL),
  ('e-4', 'gen-2', 'FEAT-202', 'new-slow-cat', NULL, 'pending', NULL, NULL, 'ada'),
  ('e-5', 'gen-3', 'FEAT-203', 'sad-lost-dog', NULL, 'pass', '2024-01-13 10:00:00', '2024-01-13 10:00:00', 'ada');
INSERT INTO audit_events VALUES ('a-1', '2024-01-20 14:30:00', 'promote', 'generation', 'gen-1', 'promote', 'success', 'grace', '{"tag": "v1.0.0"}');
INSERT INTO pipelines VALUES ('p-1', 'full-ci', '2024-01-11 10:00:00', '2024-01-11 10:05:00', 'success', '{}');
INSERT INTO snapshots VALUES ('snapshot_20240120_143000', 'daily', '2024-01-20 14:30:00', 4096);
`;

/** Writes a database as gryt leaves it. */
export function writeGrytDatabase(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(SCHEMA);
  database.exec(ROWS);
  database.close();
}
