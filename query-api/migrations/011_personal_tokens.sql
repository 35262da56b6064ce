-- The secret and the power a personal API token was issued with. Whoever rotates its credential in the registry, or widens its
-- scopes there, gets no way into its owner's account by it.
ALTER TABLE personal_tokens ADD COLUMN fingerprint text NOT NULL UNIQUE;
ALTER TABLE personal_tokens ADD COLUMN access text NOT NULL CHECK (access IN ('read', 'write', 'admin'));
