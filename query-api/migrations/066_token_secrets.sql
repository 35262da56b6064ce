-- While a rotated token's old secret is in grace both open what they opened: a row for each secret that the token's owner had made.
-- One that somebody else had made in the registry has none, and so opens nothing of the owner's.
ALTER TABLE personal_tokens DROP CONSTRAINT personal_tokens_pkey;
ALTER TABLE personal_tokens DROP CONSTRAINT personal_tokens_fingerprint_key;
ALTER TABLE personal_tokens ADD PRIMARY KEY (fingerprint);
CREATE INDEX personal_tokens_of_credential ON personal_tokens (credential_id);
