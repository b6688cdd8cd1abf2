-- A new finding that only a waiver lets pass does not become known: when the waiver has ended, it is new.
ALTER TABLE findings ADD COLUMN is_waived boolean NOT NULL DEFAULT false;
