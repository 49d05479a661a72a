CREATE TABLE users (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    is_admin BOOLEAN NOT NULL DEFAULT FALSE,
    created TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    modified TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc')
);

CREATE TABLE persons (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    birthdate DATE,
    chat_handle TEXT,
    meeting_handle TEXT,
    phone TEXT
);

CREATE TABLE employees (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),
    title TEXT NOT NULL
);

CREATE TABLE employee_profiles (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    employee_id INTEGER NOT NULL UNIQUE REFERENCES employees (id),
    office TEXT
);

CREATE TABLE sessions (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    token_hash TEXT NOT NULL UNIQUE,
    created TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    expires TIMESTAMP NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id);

-- Without a foreign key: who acted may be gone, and so may the row.
CREATE TABLE audit_entries (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    actor TEXT NOT NULL,
    actor_id INTEGER,
    action TEXT NOT NULL,
    model TEXT NOT NULL,
    row_key TEXT NOT NULL,
    changed TEXT NOT NULL
);
CREATE INDEX audit_entries_row ON audit_entries (model, row_key);
