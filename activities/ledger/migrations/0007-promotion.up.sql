-- Promotion: which failures count no more, which proofs were taken back, and hotfixes.

ALTER TABLE evolutions
  -- the tag of the later evolution of the same change that passed
  ADD COLUMN superseded_by text CHECK (superseded_by IS NULL OR status = 'fail'),
  -- the run that failed later on the same commit
  ADD COLUMN taken_back_by text REFERENCES pipeline_runs;

ALTER TABLE generations
  -- the version that a hotfix repairs, and its branch
  ADD COLUMN hotfix_of text CHECK (hotfix_of ~ '^v[0-9]+\.[0-9]+\.[0-9]+$'),
  ADD COLUMN branch text,
  -- oid of the final tag's object
  ADD COLUMN tag_object text;
