-- The final tags that promotions were to push, by commit: message and time, from which their bytes follow. A later
-- promotion finds the tag of one that was ended from outside.
ALTER TABLE generations
  ADD COLUMN final_tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(final_tags) = 'object');
