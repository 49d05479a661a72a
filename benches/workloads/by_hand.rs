//! The Diesel code that a user writes by hand. It is fixed: the library is measured against it, so
//! it changes only where the workload itself does.

use std::ops::Range;

use diesel::prelude::*;
use diesel_hooks::HookConnectionExt;

use super::schema::{employees, other_phone, people, staff, staff_profiles};
use super::{Operations, batch, each};

#[derive(Queryable, Selectable)]
#[diesel(table_name = employees, check_for_backend(diesel::sqlite::Sqlite))]
struct Employee {
    id: i32,
    #[expect(dead_code, reason = "read, as an application does, and dropped")]
    first_name: String,
    #[expect(dead_code, reason = "as above")]
    last_name: String,
    #[expect(dead_code, reason = "as above")]
    email: String,
    #[expect(dead_code, reason = "as above")]
    phone: String,
}

#[derive(Insertable)]
#[diesel(table_name = employees)]
struct NewEmployee {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = staff, check_for_backend(diesel::sqlite::Sqlite))]
struct Staff {
    id: i32,
    #[expect(dead_code, reason = "read, as an application does, and dropped")]
    first_name: String,
    #[expect(dead_code, reason = "as above")]
    last_name: String,
    #[expect(dead_code, reason = "as above")]
    email: String,
    #[expect(dead_code, reason = "as above")]
    phone: String,
}

#[derive(Insertable)]
#[diesel(table_name = staff)]
struct NewStaff {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
}

#[derive(Insertable, Default)]
#[diesel(table_name = staff_profiles)]
struct NewStaffProfile {
    staff_id: i32,
    dob: Option<String>,
    team: Option<String>,
    address: Option<String>,
}

impl NewStaffProfile {
    fn of(staff: &Staff) -> Self {
        Self {
            staff_id: staff.id,
            ..Self::default()
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = staff, treat_none_as_default_value = false)]
struct StaffRow {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
}

#[derive(Insertable, Default)]
#[diesel(table_name = staff_profiles, treat_none_as_default_value = false)]
struct StaffProfileRow {
    staff_id: i32,
    dob: Option<String>,
    team: Option<String>,
    address: Option<String>,
}

impl StaffProfileRow {
    fn of(staff: &Staff) -> Self {
        Self {
            staff_id: staff.id,
            ..Self::default()
        }
    }
}

pub(super) fn create(_: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    each(new_employees(numbers), |conn, new| {
        insert_employee(conn, &new)
    })
}

/// The same on a connection that carries what the library remembers: what that costs alone.
pub(super) fn create_on_a_known_connection(
    conn: &mut SqliteConnection,
    numbers: Range<usize>,
) -> Operations {
    conn.set_recursion_limit(32).expect("there is room for it");
    create(conn, numbers)
}

pub(super) fn create_with_profile(_: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    each(new_staff(numbers), |conn, new| {
        insert_with_profile(conn, &new)
    })
}

pub(super) fn create_many(_: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    batch(new_staff(numbers), |conn, new| {
        let staff: Vec<Staff> = diesel::insert_into(staff::table)
            .values(&new)
            .returning(Staff::as_returning())
            .get_results(conn)?;
        let profiles: Vec<_> = staff.iter().map(NewStaffProfile::of).collect();
        diesel::insert_into(staff_profiles::table)
            .values(&profiles)
            .execute(conn)?;
        QueryResult::Ok(staff)
    })
}

/// As one who knows Diesel well writes it: `None` is NULL, so each batch is one statement.
pub(super) fn create_many_in_batches(
    _: &mut SqliteConnection,
    numbers: Range<usize>,
) -> Operations {
    batch(new_staff_rows(numbers), |conn, new| {
        let mut staff: Vec<Staff> = Vec::with_capacity(new.len());
        for new in new.chunks(1_000) {
            let created = diesel::insert_into(staff::table)
                .values(new)
                .returning(Staff::as_returning())
                .get_results::<Staff>(conn)?;
            let profiles: Vec<_> = created.iter().map(StaffProfileRow::of).collect();
            diesel::insert_into(staff_profiles::table)
                .values(&profiles)
                .execute(conn)?;
            staff.extend(created);
        }
        QueryResult::Ok(staff)
    })
}

pub(super) fn update(conn: &mut SqliteConnection, numbers: Range<usize>) -> Operations {
    let phones: Vec<_> = new_employees(numbers)
        .into_iter()
        .map(|new| insert_employee(conn, &new).expect("the row is new"))
        .map(|employee| (employee.id, other_phone(employee.id)))
        .collect();
    each(phones, |conn, (id, phone)| {
        diesel::update(employees::table.find(id))
            .set(employees::phone.eq(phone))
            .execute(conn)
    })
}

pub(super) fn delete_with_profile(
    conn: &mut SqliteConnection,
    numbers: Range<usize>,
) -> Operations {
    let ids: Vec<_> = new_staff(numbers)
        .into_iter()
        .map(|new| {
            insert_with_profile(conn, &new)
                .expect("the rows are new")
                .id
        })
        .collect();
    each(ids, |conn, id| {
        conn.transaction(|conn| {
            diesel::delete(staff_profiles::table.filter(staff_profiles::staff_id.eq(id)))
                .execute(conn)?;
            diesel::delete(staff::table.find(id)).execute(conn)
        })
    })
}

fn insert_employee(conn: &mut SqliteConnection, new: &NewEmployee) -> QueryResult<Employee> {
    diesel::insert_into(employees::table)
        .values(new)
        .returning(Employee::as_returning())
        .get_result(conn)
}

fn insert_with_profile(conn: &mut SqliteConnection, new: &NewStaff) -> QueryResult<Staff> {
    conn.transaction(|conn| {
        let staff = diesel::insert_into(staff::table)
            .values(new)
            .returning(Staff::as_returning())
            .get_result(conn)?;
        diesel::insert_into(staff_profiles::table)
            .values(&NewStaffProfile::of(&staff))
            .execute(conn)?;
        Ok(staff)
    })
}

fn new_employees(numbers: Range<usize>) -> Vec<NewEmployee> {
    people(numbers)
        .map(|person| NewEmployee {
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email,
            phone: person.phone,
        })
        .collect()
}

fn new_staff(numbers: Range<usize>) -> Vec<NewStaff> {
    people(numbers)
        .map(|person| NewStaff {
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email,
            phone: person.phone,
        })
        .collect()
}

fn new_staff_rows(numbers: Range<usize>) -> Vec<StaffRow> {
    people(numbers)
        .map(|person| StaffRow {
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email,
            phone: person.phone,
        })
        .collect()
}
