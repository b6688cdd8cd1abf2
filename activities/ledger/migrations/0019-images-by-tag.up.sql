-- Images of what a deployment changes that its manifests give by tag, which can be moved.
ALTER TABLE deployments ADD COLUMN images_by_tag jsonb NOT NULL DEFAULT '[]';
