-- People and how they sign in. The library that reads and writes users, sessions, user_accounts, verifications, two_factors and
-- passkeys is better-auth; its columns are these, in snake case. Tokens of sessions are signed with a secret that is not in this
-- database, TOTP secrets and recovery codes are encrypted with it, other tokens are hashed: a copy of the tables opens nothing.

DROP TABLE sessions;
DROP TABLE sign_in_links;

CREATE TABLE users (
    id                 text PRIMARY KEY,
    name               text NOT NULL,
    email              text NOT NULL UNIQUE,
    email_verified     boolean NOT NULL DEFAULT false,
    image              text,
    role               text NOT NULL CHECK (role IN ('viewer', 'analyst', 'responder', 'admin')),
    -- Made at the first start for whoever holds the printed link; name, e-mail and password are still to be told.
    setup_pending      boolean NOT NULL DEFAULT false,
    banned             boolean NOT NULL DEFAULT false,
    ban_reason         text,
    ban_expires        timestamptz,
    two_factor_enabled boolean NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);

CREATE TABLE sessions (
    id              text PRIMARY KEY,
    token           text NOT NULL UNIQUE,
    user_id         text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    ip_address      text,
    user_agent      text,
    impersonated_by text,
    -- When this session last proved a TOTP code.
    totp_proved_at  timestamptz
);
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE user_accounts (
    id                       text PRIMARY KEY,
    account_id               text NOT NULL,
    provider_id              text NOT NULL,
    user_id                  text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    access_token             text,
    refresh_token            text,
    id_token                 text,
    access_token_expires_at  timestamptz,
    refresh_token_expires_at timestamptz,
    scope                    text,
    password                 text,
    created_at               timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL
);
CREATE INDEX user_accounts_of_user ON user_accounts (user_id);
CREATE UNIQUE INDEX user_accounts_of_provider ON user_accounts (provider_id, account_id);

CREATE TABLE verifications (
    id         text PRIMARY KEY,
    identifier text NOT NULL,
    value      text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX verifications_by_identifier ON verifications (identifier);

CREATE TABLE two_factors (
    id                        text PRIMARY KEY,
    secret                    text NOT NULL,
    backup_codes              text NOT NULL,
    user_id                   text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    verified                  boolean DEFAULT true,
    failed_verification_count integer DEFAULT 0,
    locked_until              timestamptz
);
CREATE INDEX two_factors_of_user ON two_factors (user_id);

CREATE TABLE passkeys (
    id            text PRIMARY KEY,
    name          text,
    public_key    text NOT NULL,
    user_id       text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id text NOT NULL,
    counter       integer NOT NULL,
    device_type   text NOT NULL,
    backed_up     boolean NOT NULL,
    transports    text,
    created_at    timestamptz,
    aaguid        text
);
CREATE INDEX passkeys_of_user ON passkeys (user_id);
CREATE INDEX passkeys_by_credential ON passkeys (credential_id);

-- Managed credentials that speak for a person here. Any other credential opens nothing of a person's.
CREATE TABLE personal_tokens (
    credential_id text PRIMARY KEY REFERENCES credentials (id),
    user_id       text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    last_used_at  timestamptz
);
CREATE INDEX personal_tokens_of_user ON personal_tokens (user_id);
