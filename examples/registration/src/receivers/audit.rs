use chrono::Utc;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use crate::actor::Actor;
use crate::database::AnyConnection;
use crate::schema::audit_entries;

#[receiver(dispatch_uid = "audit saved rows")]
fn saved(event: &PostSave<dyn AnyModel>, conn: &mut AnyConnection) -> QueryResult<()> {
    if event.created {
        return write(conn, "created", &event.instance, "");
    }
    let changed: Vec<_> = event.changed_columns().collect();
    write(conn, "updated", &event.instance, &changed.join(", "))
}

#[receiver(dispatch_uid = "audit deleted rows")]
fn deleted(event: &PostDelete<dyn AnyModel>, conn: &mut AnyConnection) -> QueryResult<()> {
    write(conn, "deleted", &event.instance, "")
}

/// By plain Diesel: an entry about an entry would never end.
fn write(
    conn: &mut AnyConnection,
    action: &str,
    row: &dyn AnyModel,
    changed: &str,
) -> QueryResult<()> {
    let actor = conn.context::<Actor>();
    let actor = actor.as_deref();
    let entry = (
        audit_entries::at.eq(Utc::now().naive_utc()),
        audit_entries::actor.eq(actor.map_or("nobody", |it| &it.name)),
        audit_entries::actor_id.eq(actor.and_then(|it| it.id)),
        audit_entries::action.eq(action),
        audit_entries::model.eq(row.model_name()),
        audit_entries::row_key.eq(row.key_text()),
        audit_entries::changed.eq(changed),
    );
    diesel::insert_into(audit_entries::table)
        .values(entry)
        .execute(conn)
        .map(drop)
}
