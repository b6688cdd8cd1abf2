-- Results of attempts that were repeated: a test that fails in one and passes in the next is flaky.
ALTER TABLE test_results ADD COLUMN attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1);
ALTER TABLE test_results DROP CONSTRAINT test_results_pkey;
ALTER TABLE test_results ADD PRIMARY KEY (pipeline_run_id, job, attempt, position);
