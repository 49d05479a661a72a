DROP TABLE employee_profiles;
