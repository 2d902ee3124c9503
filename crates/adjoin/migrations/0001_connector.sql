-- One text for SQLite and PostgreSQL. Times are Unix milliseconds (UTC); *_sealed columns are vault ciphertext;
-- *_hash columns are SHA-256 of a secret that we never keep.

CREATE TABLE settings (
    id TEXT PRIMARY KEY CHECK (id = 'settings'),
    partner_name TEXT NOT NULL,
    partner_key TEXT NOT NULL,
    service_domain TEXT,
    return_urls TEXT NOT NULL,
    embed_origins TEXT NOT NULL,
    links_allowed BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE data_keys (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    master_key_id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    is_current BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE UNIQUE INDEX data_keys_current ON data_keys (scope) WHERE is_current;

CREATE TABLE operators (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The one-time links that let somebody create an operator.
CREATE TABLE operator_invites (
    token_hash BYTEA PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash BYTEA PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    external_id TEXT UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX accounts_name ON accounts (name);

-- `account_id` null: a key of the partner, for all accounts.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);

-- The connector as the partner set it up: one row for Facebook Marketing API.
CREATE TABLE connectors (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    client_secret_sealed BYTEA NOT NULL,
    app_name TEXT,
    graph_version TEXT NOT NULL,
    login TEXT NOT NULL,
    use_cases TEXT NOT NULL,
    extra_permissions TEXT NOT NULL,
    keyed_redirect_uri BOOLEAN NOT NULL,
    verified_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- A connector installed in an account. `state` and `assets` are JSON of the service's own types; `status` is the
-- state's name alone, so that lists can be filtered. `subject_id` is the person or the system user who consented.
CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    connector_id TEXT NOT NULL,
    status TEXT NOT NULL,
    state TEXT NOT NULL,
    app_id TEXT,
    subject_id TEXT,
    subject TEXT NOT NULL,
    token_kind TEXT,
    token_sealed BYTEA,
    token_expires_at BIGINT,
    data_access_expires_at BIGINT,
    wanted TEXT NOT NULL,
    granted TEXT NOT NULL,
    declined TEXT NOT NULL,
    assets TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    connected_at BIGINT,
    checked_at BIGINT,
    updated_at BIGINT NOT NULL,
    UNIQUE (account_id, connector_id)
);
CREATE INDEX connections_subject ON connections (app_id, subject_id);

-- The short-lived right to connect. `kind`, `stage` and `dialog` are JSON of the service's own types; each secret
-- stands hashed. `held_sealed` is what waits for a confirmation: Meta's code, or the token of another person.
CREATE TABLE connect_sessions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    use_cases TEXT NOT NULL,
    configuration TEXT,
    rerequest BOOLEAN NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    status TEXT NOT NULL,
    stage TEXT NOT NULL,
    cookie_hash BYTEA,
    state_hash BYTEA UNIQUE,
    state_used BOOLEAN NOT NULL,
    dialog TEXT NOT NULL,
    dialog_expires_at BIGINT,
    completion_hash BYTEA,
    held_sealed BYTEA,
    held_expires_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX connect_sessions_connection ON connect_sessions (connection_id);
CREATE INDEX connect_sessions_held ON connect_sessions (held_expires_at);

CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code BIGINT,
    subcode BIGINT,
    message TEXT,
    trace_id TEXT,
    duration_us BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX calls_connection ON calls (connection_id, id);
CREATE INDEX calls_at ON calls (at);

CREATE TABLE idempotency_keys (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    answer TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, idempotency_key)
);

-- What Meta asked for people who removed the app. `request_hash` stands for app, person and moment, under the app's
-- secret, so that a row names nobody. `code` is there for a data deletion: its status page is found by it.
CREATE TABLE departures (
    request_hash BYTEA PRIMARY KEY,
    code TEXT UNIQUE,
    connections BIGINT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);
