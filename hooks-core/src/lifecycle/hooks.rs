use std::any::TypeId;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::collector::Reach;
use crate::connection::{CallbackKind, RawConnection, Scope, register, scoped};
use crate::error::{RegistryError, Result};
use crate::model::{Persist, Row};
use crate::receiver::{Needs, Receiver, Slot, Tombstone, sent};
use crate::registry;
use crate::relation::{self, Relation, Relations};
use crate::signal::{
    PostCreate, PostDelete, PostLoad, PostSave, PostUpdate, PreCreate, PreDelete, PreSave,
    PreUpdate,
};

/// How many models have their hooks, on all connection types.
static NUMBERED: AtomicUsize = AtomicUsize::new(0);

/// The receivers of a model and the relations towards its table, on connections of type `C`.
///
/// The derive keeps one for each model and connection type in a static of its own.
pub struct ModelHooks<M: Row, C> {
    pub(crate) pre_save: Slot<PreSave<M>, C>,
    pub(crate) pre_create: Slot<PreCreate<M>, C>,
    pub(crate) pre_update: Slot<PreUpdate<M>, C>,
    pub(crate) pre_delete: Slot<PreDelete<M>, C>,
    pub(crate) post_create: Slot<PostCreate<M>, C>,
    pub(crate) post_update: Slot<PostUpdate<M>, C>,
    pub(crate) post_save: Slot<PostSave<M>, C>,
    pub(crate) post_delete: Slot<PostDelete<M>, C>,
    pub(crate) post_load: Slot<PostLoad<M>, C>,
    /// Those whose child comes into being with a row of this model stand first.
    pub(crate) relations: Relations<M::Pk, C>,
    auto_created: usize,
    /// What tells the model from others in a connection's memory.
    pub(crate) number: usize,
    pub(crate) own_create: Scope,
    /// That of the dependents included, once it is known.
    pub(crate) create_scope: OnceLock<Scope>,
    pub(crate) own_update: Scope,
    pub(crate) own_delete: Scope,
    /// That of all that may go with a row included, once it is known.
    pub(crate) delete_scope: OnceLock<Scope>,
    pub(crate) own_load: Scope,
    /// What a delete can reach, once it is known.
    reach: OnceLock<Reach>,
    /// Whether a receiver looks at the row as it was before an update, so that `save` reads it.
    pub(crate) compares: bool,
    /// Whether a receiver may ask for the old row where it is at hand.
    pub(crate) looks_back: bool,
    /// The receivers that wait for the end of the transaction to tell of rows of the table once: they must
    /// know which are gone, through whatever struct that was.
    merging: Vec<&'static Receiver>,
}

impl<M: Row, C: RawConnection> ModelHooks<M, C> {
    /// Finds all of it among what was compiled in.
    ///
    /// # Errors
    ///
    /// What two registrations contradict each other in.
    pub fn collect() -> std::result::Result<Self, RegistryError> {
        registry::check::<M>()?;
        let relations = relation::towards::<M, C>()?;
        let sent = sent::<M>();
        let mut hooks = ModelHooks {
            pre_save: Slot::collect(&sent)?,
            pre_create: Slot::collect(&sent)?,
            pre_update: Slot::collect(&sent)?,
            pre_delete: Slot::collect(&sent)?,
            post_create: Slot::collect(&sent)?,
            post_update: Slot::collect(&sent)?,
            post_save: Slot::collect(&sent)?,
            post_delete: Slot::collect(&sent)?,
            post_load: Slot::collect(&sent)?,
            auto_created: 0,
            relations,
            number: NUMBERED.fetch_add(1, Ordering::Relaxed),
            own_create: Scope::ReadBack,
            create_scope: OnceLock::new(),
            own_update: Scope::Statement,
            own_delete: Scope::Statement,
            delete_scope: OnceLock::new(),
            own_load: Scope::Statement,
            reach: OnceLock::new(),
            compares: false,
            looks_back: false,
            merging: merging(TypeId::of::<M::Table>()),
        };
        for relation in &hooks.relations {
            hooks.auto_created += usize::from(relation.info().auto_create);
        }
        let save = scope_of(hooks.pre_save.needs, hooks.post_save.needs);
        hooks.own_create = save
            .max(scope_of(hooks.pre_create.needs, hooks.post_create.needs))
            .max(Scope::ReadBack);
        hooks.own_update = save.max(scope_of(hooks.pre_update.needs, hooks.post_update.needs));
        hooks.own_delete = scope_of(hooks.pre_delete.needs, hooks.post_delete.needs);
        if hooks.post_load.needs.connection {
            hooks.own_load = Scope::Receivers;
        }
        let updates = [
            hooks.pre_update.needs.compares,
            hooks.post_update.needs.compares,
        ];
        let looks_back = hooks.pre_update.needs.looks_back || hooks.post_update.needs.looks_back;
        let saves = [
            hooks.pre_save.needs.compares,
            hooks.post_save.needs.compares,
        ];
        hooks.compares = looks_back || updates.contains(&true) || saves.contains(&true);
        hooks.looks_back = hooks.compares || hooks.pre_save.needs.looks_back;
        Ok(hooks)
    }

    /// The relations whose child comes into being with a row of this model.
    pub(crate) fn auto_created(&self) -> &[Box<dyn Relation<M::Pk, C>>] {
        &self.relations[..self.auto_created]
    }
}

impl<M: Row, C: RawConnection> ModelHooks<M, C> {
    pub(crate) fn hears_pre_create(&self, conn: &mut C) -> bool {
        !(self.pre_save.is_empty() && self.pre_create.is_empty()) || scoped::here(conn)
    }

    pub(crate) fn hears_create(&self, conn: &mut C) -> bool {
        !(self.post_create.is_empty() && self.post_save.is_empty()) || scoped::here(conn)
    }

    pub(crate) fn hears_pre_update(&self, conn: &mut C) -> bool {
        !(self.pre_save.is_empty() && self.pre_update.is_empty()) || scoped::here(conn)
    }

    pub(crate) fn hears_update(&self, conn: &mut C) -> bool {
        let silent = self.pre_save.is_empty()
            && self.pre_update.is_empty()
            && self.post_update.is_empty()
            && self.post_save.is_empty();
        !silent || scoped::here(conn)
    }

    /// Whether the whole row is needed for the signals of its delete.
    pub(crate) fn signals_delete(&self, conn: &mut C) -> bool {
        !(self.pre_delete.is_empty() && self.post_delete.is_empty()) || scoped::has_connected(conn)
    }

    /// Whether anybody has to know which rows are deleted.
    pub(crate) fn hears_delete(&self) -> bool {
        !(self.pre_delete.is_empty() && self.post_delete.is_empty() && self.merging.is_empty())
    }

    /// What a delete of rows of this model can reach.
    pub(crate) fn reach(&'static self) -> Result<&'static Reach>
    where
        M: Persist<C>,
    {
        if let Some(reach) = self.reach.get() {
            return Ok(reach);
        }
        let reach = Reach::of::<M, C>()?;
        Ok(self.reach.get_or_init(|| reach))
    }

    /// Takes back what receivers were going to hear of a row that is gone.
    pub(crate) fn bury(&self, pk: &M::Pk, conn: &mut C) -> Result<()> {
        for receiver in &self.merging {
            if let Some(Tombstone(callback)) = receiver.handler.bury(pk, receiver.uid) {
                register(
                    conn,
                    CallbackKind::AfterCommit,
                    Some(receiver.uid),
                    callback,
                )?;
            }
        }
        Ok(())
    }
}

/// The receivers that tell of rows of the table once, in an order that does not depend on the linker.
fn merging(table: TypeId) -> Vec<&'static Receiver> {
    let all = inventory::iter::<Receiver>.into_iter();
    let mut merging: Vec<_> = all.filter(|it| it.handler.merges(table)).collect();
    merging.sort_by_key(|it| (it.order, it.uid, (it.signal)()));
    merging
}

/// What it takes to undo an operation that sends these two signals, around one statement.
///
/// A receiver before the write that has no connection leaves nothing behind when it fails. One that waits for
/// the end of the transaction needs one to wait for, or it would run before the write.
fn scope_of(pre: Needs, post: Needs) -> Scope {
    if pre.connection || post.connection {
        Scope::Receivers
    } else if post.can_fail || pre.defers {
        Scope::Statements
    } else if post.defers {
        // What waits for the COMMIT comes after every receiver.
        Scope::ReadBack
    } else {
        Scope::Statement
    }
}
