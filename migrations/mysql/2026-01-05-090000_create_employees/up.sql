CREATE TABLE employees (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email VARCHAR(255) NOT NULL UNIQUE,
    phone VARCHAR(255) NOT NULL UNIQUE,
    created DATETIME NOT NULL DEFAULT (utc_timestamp()),
    modified DATETIME NOT NULL DEFAULT (utc_timestamp())
);
