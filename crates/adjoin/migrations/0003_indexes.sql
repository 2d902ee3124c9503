-- What lists, claims and erasures look for, and what goes with an account, is found without going through a table.

-- The name in lower case, as a search looks for it: SQLite, and PostgreSQL in the locale C, know ASCII capitals alone. Null
-- where a node of before wrote the row.
ALTER TABLE accounts ADD COLUMN name_folded TEXT;

-- Leads that are not settled yet.
CREATE INDEX leads_unsettled ON leads (account_id) WHERE due_at IS NOT NULL OR cause IS NOT NULL;
CREATE INDEX subscriptions_list_forms ON subscriptions (list_forms_at);
CREATE INDEX audit_subject ON audit (subject, id);
CREATE INDEX connect_sessions_created ON connect_sessions (created_at);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- An account that is deleted takes these with it.
CREATE INDEX deliveries_account ON deliveries (account_id);
CREATE INDEX calls_account ON calls (account_id);
