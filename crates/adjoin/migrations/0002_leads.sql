-- Form submissions: webhooks, leads, forms, events, deliveries. As in 0001: times are Unix milliseconds (UTC),
-- *_sealed columns are vault ciphertext, JSON is text of the services' own types, and `status` is the name of the
-- state beside it, so that lists can be filtered.

-- How many days an account's leads are kept after they were read; null: until they are erased.
ALTER TABLE accounts ADD COLUMN lead_retention_days BIGINT;

-- The secret before the last change of it: Meta signs with it for a while.
ALTER TABLE connectors ADD COLUMN previous_secret_sealed BYTEA;
ALTER TABLE connectors ADD COLUMN previous_secret_until BIGINT;

-- When the Pages and ad accounts of a connection were last taken over into `subscriptions`; null for those made before.
ALTER TABLE connections ADD COLUMN adopted_at BIGINT;
CREATE INDEX connections_adopt ON connections (id) WHERE adopted_at IS NULL AND token_sealed IS NOT NULL;

-- Bodies that Meta posted, as they came. A row goes in the transaction that sorts its changes.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    received_at BIGINT NOT NULL,
    body BYTEA NOT NULL
);

-- Changes that nobody could use: of an unknown Page, ad account or field, unreadable, or a test of Meta's dashboard.
CREATE TABLE quarantine (
    id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    object TEXT NOT NULL,
    object_id TEXT NOT NULL,
    field TEXT NOT NULL,
    change_sealed BYTEA NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX quarantine_object ON quarantine (object, object_id);
CREATE INDEX quarantine_received ON quarantine (received_at);

-- The app's own subscription at Meta, one an object type (`page`, `ad_account`).
CREATE TABLE app_subscriptions (
    object TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    checked_at BIGINT,
    check_at BIGINT NOT NULL
);

-- Pages and ad accounts whose webhooks go to an account. The same Page may be here for several accounts. An ad account's
-- `object_id` is its number, without `act_`.
CREATE TABLE subscriptions (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    object TEXT NOT NULL,
    object_id TEXT NOT NULL,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    checked_at BIGINT,
    check_at BIGINT NOT NULL,
    -- When a Page's forms are to be listed again; null for an ad account.
    list_forms_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, object, object_id)
);
CREATE INDEX subscriptions_object ON subscriptions (object, object_id);
CREATE INDEX subscriptions_check ON subscriptions (check_at);
CREATE INDEX subscriptions_connection ON subscriptions (connection_id);

-- `counts` is what Meta says the form holds; `watermark` the newest lead of it that is committed here.
CREATE TABLE forms (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    form_id TEXT NOT NULL,
    page_id TEXT NOT NULL,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    version_id TEXT,
    counts TEXT NOT NULL,
    counted_at BIGINT,
    watermark BIGINT,
    sweep TEXT NOT NULL,
    sweep_at BIGINT NOT NULL,
    leased_until BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, form_id)
);
CREATE INDEX forms_sweep ON forms (sweep_at);
CREATE INDEX forms_page ON forms (account_id, page_id);

-- A form as it stood when leads answered it: labels of questions change.
CREATE TABLE form_versions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    form_id TEXT NOT NULL,
    content_hash BYTEA NOT NULL,
    content TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    UNIQUE (account_id, form_id, content_hash)
);

-- A lead by Meta's id. `detail_sealed` is Meta's answer whole; with status `erased` or `expired` the row is only there so that the
-- lead does not come back. `due_at`: when its hydration is to be tried.
CREATE TABLE leads (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    meta_lead_id TEXT NOT NULL,
    page_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    ad_id TEXT,
    ad_set_id TEXT,
    campaign_id TEXT,
    is_organic BOOLEAN,
    is_test BOOLEAN NOT NULL,
    platform TEXT,
    status TEXT NOT NULL,
    cause TEXT,
    state TEXT NOT NULL,
    form_version_id TEXT,
    detail_sealed BYTEA,
    submitted_at BIGINT,
    seen_at BIGINT NOT NULL,
    hydrated_at BIGINT,
    delivered_at BIGINT,
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    leased_until BIGINT,
    UNIQUE (account_id, meta_lead_id)
);
CREATE INDEX leads_account ON leads (account_id, id);
CREATE INDEX leads_form ON leads (account_id, form_id, id);
CREATE INDEX leads_page ON leads (account_id, page_id, submitted_at);
CREATE INDEX leads_submitted ON leads (submitted_at);
CREATE INDEX leads_seen ON leads (seen_at);
CREATE INDEX leads_due ON leads (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX leads_waiting ON leads (account_id, page_id, meta_lead_id) WHERE due_at IS NOT NULL;
-- For retention, and for taking away what is left of those that are erased.
CREATE INDEX leads_kept ON leads (account_id, hydrated_at) WHERE status = 'hydrated';
CREATE INDEX leads_left ON leads (seen_at) WHERE status IN ('erased', 'expired');
CREATE INDEX leads_cause ON leads (cause, account_id) WHERE cause IS NOT NULL;

-- How often each source (`webhook`, `sweep`, `backfill`) has named a lead.
CREATE TABLE lead_sightings (
    lead_id TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (lead_id, source)
);

-- Stages of a lead that were told to Meta (Conversions API for CRM): what was sent, so that nothing is sent twice.
CREATE TABLE lead_stages (
    id TEXT PRIMARY KEY,
    lead_id TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    dataset_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    staged_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (lead_id, dataset_id, stage, staged_at)
);

-- The last number given to an event. Whoever writes events holds this row until the end of the transaction, so numbers
-- become visible in their order, without a gap for a reader to step over.
CREATE TABLE event_numbers (
    id TEXT PRIMARY KEY CHECK (id = 'events'),
    last BIGINT NOT NULL
);
INSERT INTO event_numbers (id, last) VALUES ('events', 0);

-- What happened, for the partner. `subject` is what it is about (a lead, a connection, an ad); events of one subject are
-- delivered in order. `data` holds nothing personal: a lead is read when its event is sent.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- Null: of no account, as the test of an endpoint for all of them.
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX events_account ON events (account_id, seq);
CREATE INDEX events_subject ON events (subject, seq);
CREATE INDEX events_at ON events (at);

-- Where events are delivered. `account_id` null: those of all accounts. `types` empty: all types. `secrets_sealed`: the
-- signing secrets as JSON, newest first; those before the newest end at their time.
CREATE TABLE endpoints (
    id TEXT PRIMARY KEY,
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    types TEXT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    secrets_sealed BYTEA NOT NULL,
    failing_since BIGINT,
    paused_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX endpoints_account ON endpoints (account_id);

-- One event on its way to one endpoint, written with the event. `status`: `pending`, `held` (its endpoint is disabled),
-- `delivered` or `dead`. A claim moves `due_at` to the end of its lease.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    event_seq BIGINT NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    leased_until BIGINT,
    last_status BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    delivered_at BIGINT,
    UNIQUE (endpoint_id, event_seq)
);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at) WHERE status = 'pending';
CREATE INDEX deliveries_order ON deliveries (endpoint_id, subject, event_seq) WHERE status = 'pending';
CREATE INDEX deliveries_event ON deliveries (event_seq);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);

CREATE TABLE delivery_attempts (
    id TEXT PRIMARY KEY,
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    status BIGINT,
    error TEXT,
    response TEXT,
    duration_us BIGINT NOT NULL
);
CREATE INDEX delivery_attempts_delivery ON delivery_attempts (delivery_id, id);
