//! Receivers of a trait: `&PostSave<dyn Activity>` hears every model that extends `Activity`.
//!
//! The registry knows the model and a receiver the trait; only the model's derive knows both, so it hands
//! over the functions that turn the one signal into the other.

use std::any::TypeId;

use super::slot::Search;
use crate::model::Row;
use crate::signal::{
    AnyModel, PostCreate, PostDelete, PostLoad, PostSave, PostUpdate, PreCreate, PreDelete,
    PreSave, PreUpdate,
};

/// How the signals of `M` are those of the trait object `T`.
#[doc(hidden)]
pub struct Upcast<M, T: ?Sized> {
    pub post_create: fn(&PostCreate<M>) -> &PostCreate<T>,
    pub post_update: fn(&PostUpdate<M>) -> &PostUpdate<T>,
    pub post_save: fn(&PostSave<M>) -> &PostSave<T>,
    pub post_load: fn(&PostLoad<M>) -> &PostLoad<T>,
    pub pre_delete: fn(&PreDelete<M>) -> &PreDelete<T>,
    pub post_delete: fn(&PostDelete<M>) -> &PostDelete<T>,
}

/// Who asks a model for the traits that it extends.
#[doc(hidden)]
pub trait Senders<M> {
    fn sender<T: ?Sized + 'static>(&mut self, upcast: Upcast<M, T>);
}

/// A signal that trait senders exist for.
pub(crate) trait HeardByTraits: Sized + 'static {
    /// Looks at each trait that the model extends.
    fn search<C: 'static>(search: &mut Search<Self, C>);
}

macro_rules! heard_by_traits {
    ($($signal:ident $upcast:ident;)*) => {$(
        impl<M: Row, C: 'static> Senders<M> for Search<$signal<M>, C> {
            fn sender<T: ?Sized + 'static>(&mut self, upcast: Upcast<M, T>) {
                Search::sender(self, upcast.$upcast);
            }
        }

        impl<M: Row> HeardByTraits for $signal<M> {
            fn search<C: 'static>(search: &mut Search<Self, C>) {
                M::senders(search);
                Senders::sender(search, any::<M>());
            }
        }
    )*};
}

heard_by_traits! {
    PostCreate post_create;
    PostUpdate post_update;
    PostSave post_save;
    PostLoad post_load;
    PreDelete pre_delete;
    PostDelete post_delete;
}

fn any<M: Row>() -> Upcast<M, dyn AnyModel> {
    Upcast {
        post_create: |it| it,
        post_update: |it| it,
        post_save: |it| it,
        post_load: |it| it,
        pre_delete: |it| it,
        post_delete: |it| it,
    }
}

/// A signal of a model, and the types as which receivers may hear it.
pub(crate) struct SentAs {
    pub(crate) signal: &'static str,
    pub(crate) types: Vec<TypeId>,
}

/// The signals of `M`.
pub(crate) fn sent<M: Row>() -> Vec<SentAs> {
    let mut traits = Traits::default();
    M::senders(&mut traits);
    Senders::<M>::sender(&mut traits, any::<M>());
    traits.heard_as::<M>()
}

macro_rules! sent_as {
    ($([$own:ident])* $($signal:ident $field:ident;)*) => {
        /// The signals as those of each trait that a model extends.
        #[derive(Default)]
        struct Traits {
            $($field: Vec<TypeId>,)*
        }

        impl<M> Senders<M> for Traits {
            fn sender<T: ?Sized + 'static>(&mut self, _: Upcast<M, T>) {
                $(self.$field.push(TypeId::of::<$signal<T>>());)*
            }
        }

        impl Traits {
            fn heard_as<M: Row>(mut self) -> Vec<SentAs> {
                $(self.$field.push(TypeId::of::<$signal<M>>());)*
                vec![
                    $(SentAs {
                        signal: stringify!($own),
                        types: vec![TypeId::of::<$own<M>>()],
                    },)*
                    $(SentAs {
                        signal: stringify!($signal),
                        types: self.$field,
                    },)*
                ]
            }
        }
    };
}

sent_as! {
    [PreSave] [PreCreate] [PreUpdate]
    PostCreate post_create;
    PostUpdate post_update;
    PostSave post_save;
    PostLoad post_load;
    PreDelete pre_delete;
    PostDelete post_delete;
}
