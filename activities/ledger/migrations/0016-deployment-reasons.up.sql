-- Why a deployment was started as it was, and who agreed.
ALTER TABLE deployments
  -- why it is urgent: of the person who started it
  ADD COLUMN reason text,
  -- the environments before this one that did not have the release
  ADD COLUMN passed_over jsonb NOT NULL DEFAULT '[]',
  -- why it was deployed during a freeze
  ADD COLUMN override_freeze text,
  -- the people who approved it, with what they said
  ADD COLUMN approved_by jsonb NOT NULL DEFAULT '[]';
