-- Locks the row of a gate for those who record and read decisions. FOR UPDATE asks for a right to change the row, which
-- the gateway must not have; an advisory lock can be taken by every login, also by one that only reads.
CREATE FUNCTION lock_gate(id text) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = longhaul, pg_temp
  AS 'SELECT FROM gates WHERE gate_id = id FOR UPDATE';
REVOKE ALL ON FUNCTION lock_gate(text) FROM PUBLIC;
