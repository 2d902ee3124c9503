-- What an endpoint answers may repeat the lead that it was sent: it is sealed under the account's key. Answers of before
-- stood in clear, and go.
ALTER TABLE delivery_attempts DROP COLUMN response;
ALTER TABLE delivery_attempts ADD COLUMN response_sealed BYTEA;

-- By what an event is known when Meta tells the same change again; null: it is told once.
ALTER TABLE events ADD COLUMN change_hash BYTEA;
CREATE UNIQUE INDEX events_change ON events (change_hash) WHERE change_hash IS NOT NULL;

-- Events of test leads go to those endpoints alone that want them.
ALTER TABLE endpoints ADD COLUMN test_leads BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE events ADD COLUMN is_test BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE events SET is_test = TRUE
WHERE type IN ('lead.created', 'lead.updated') AND subject IN (SELECT id FROM leads WHERE is_test);
