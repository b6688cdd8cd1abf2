-- the results of the last attempt stay
DELETE FROM test_results t USING test_results later
WHERE later.pipeline_run_id = t.pipeline_run_id AND later.job = t.job AND later.attempt > t.attempt;
ALTER TABLE test_results DROP CONSTRAINT test_results_pkey;
ALTER TABLE test_results DROP COLUMN attempt;
ALTER TABLE test_results ADD PRIMARY KEY (pipeline_run_id, job, position);
