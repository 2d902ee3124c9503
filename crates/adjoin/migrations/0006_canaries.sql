-- A canary: a test lead that Adjoin sends through a form, to see that the way from Meta to the partner works. A row is there
-- only where somebody asked for one. `due_at`: when the next step is; null: nothing is to be done. `meta_lead_id`: the last
-- one that was sent, so that its lead is known as a test lead however it comes here.
CREATE TABLE canaries (
    account_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    daily BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    meta_lead_id TEXT,
    due_at BIGINT,
    leased_until BIGINT,
    PRIMARY KEY (account_id, form_id),
    FOREIGN KEY (account_id, form_id) REFERENCES forms (account_id, form_id) ON DELETE CASCADE
);
CREATE INDEX canaries_due ON canaries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX canaries_lead ON canaries (meta_lead_id) WHERE meta_lead_id IS NOT NULL;
