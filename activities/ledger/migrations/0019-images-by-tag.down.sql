ALTER TABLE deployments DROP COLUMN images_by_tag;
