ALTER TABLE generations DROP COLUMN hotfix_of, DROP COLUMN branch, DROP COLUMN tag_object;
ALTER TABLE evolutions DROP COLUMN superseded_by, DROP COLUMN taken_back_by;
