CREATE TABLE employee_profiles (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    employee_id INTEGER NOT NULL UNIQUE,
    date_of_birth DATE,
    team VARCHAR(20) CHECK (team IN ('platform', 'product', 'design', 'sales', 'support', 'finance')),
    gender VARCHAR(20) CHECK (gender IN ('female', 'male', 'non-binary')),
    address TEXT,
    FOREIGN KEY (employee_id) REFERENCES employees (id) ON DELETE NO ACTION
);
