CREATE TABLE employee_profiles (
    id INTEGER NOT NULL PRIMARY KEY,
    employee_id INTEGER NOT NULL UNIQUE REFERENCES employees (id) ON DELETE NO ACTION,
    date_of_birth DATE,
    team TEXT CHECK (team IN ('platform', 'product', 'design', 'sales', 'support', 'finance')),
    gender TEXT CHECK (gender IN ('female', 'male', 'non-binary')),
    address TEXT
);
