ALTER TABLE generations DROP COLUMN final_tags;
