DROP TABLE audit_entries;
DROP TABLE sessions;
DROP TABLE employee_profiles;
DROP TABLE employees;
DROP TABLE persons;
DROP TABLE users;
