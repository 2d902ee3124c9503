-- Each time a lead was parked, or gone, and why: its state as it stood then, which says since when. What a lead waits for
-- now is here too; it stays once the lead is read.
CREATE TABLE lead_parks (
    lead_id TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (lead_id, since)
);

-- When the partner was told that Meta is about to forget a lead that could not be read.
ALTER TABLE leads ADD COLUMN expiry_told_at BIGINT;
CREATE INDEX leads_expiring ON leads (COALESCE(submitted_at, seen_at)) WHERE due_at IS NOT NULL AND expiry_told_at IS NULL;
