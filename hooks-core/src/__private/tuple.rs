//! What a tuple says of a model's columns, which the derive writes one of for each use: as many as Diesel
//! allows a table.

use std::marker::PhantomData;
use std::time::SystemTime;

use diesel::backend::Backend;
use diesel::expression::Selectable;
use diesel::query_source::Column;

use super::set::{Set, SetEach};
use crate::timestamp::Stamping;

/// What is selected for a model's fields, on a backend.
pub trait Fields<DB> {
    type Selection;
    fn selection() -> Self::Selection;
}

/// What is selected for one field.
pub trait Field<DB> {
    type Selection;
    fn selection() -> Self::Selection;
}

impl<C: Column + Default, DB> Field<DB> for C {
    type Selection = C;
    fn selection() -> C {
        C::default()
    }
}

/// An embedded struct, which may have other columns on another backend.
pub struct Embedded<T>(PhantomData<T>);

impl<T: Selectable<DB>, DB: Backend> Field<DB> for Embedded<T> {
    type Selection = T::SelectExpression;
    fn selection() -> Self::Selection {
        T::construct_selection()
    }
}

/// A model with an expression for a field, which is known to `Selectable` alone.
pub struct AsSelectable<M>(PhantomData<M>);

impl<M: Selectable<DB>, DB: Backend> Fields<DB> for AsSelectable<M> {
    type Selection = M::SelectExpression;
    fn selection() -> Self::Selection {
        M::construct_selection()
    }
}

/// What an UPDATE may write.
pub trait Changes {
    /// The columns' names; an embedded struct has several, and no name.
    const NAMES: &'static [&'static str];
}

/// A part of it.
pub trait Change {
    const NAME: &'static str;
}

impl<C: Column, E> Change for Set<C, E> {
    const NAME: &'static str = C::NAME;
}

impl<S> Change for SetEach<S> {
    const NAME: &'static str = "";
}

impl Changes for () {
    const NAMES: &'static [&'static str] = &[];
}

macro_rules! tuple {
    ($($T:ident)*) => {
        impl<DB, $($T: Field<DB>),*> Fields<DB> for ($($T,)*) {
            type Selection = ($($T::Selection,)*);
            fn selection() -> Self::Selection {
                ($($T::selection(),)*)
            }
        }

        impl<N, $($T),*> Stamping<N> for ($($T,)*) {
            type Stamped = N;
            #[inline]
            fn stamped(new: N, _at: SystemTime) -> N {
                new
            }
        }

        impl<$($T: Change),*> Changes for ($($T,)*) {
            const NAMES: &'static [&'static str] = &[$($T::NAME),*];
        }
    };
}

/// Two steps at once, which keeps within the compiler's recursion limit.
macro_rules! tuples {
    () => {};
    ($first:ident $second:ident $($rest:ident)*) => {
        tuple!($first $second $($rest)*);
        tuple!($second $($rest)*);
        tuples!($($rest)*);
    };
}

tuples! {
    T0 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15
    T16 T17 T18 T19 T20 T21 T22 T23 T24 T25 T26 T27 T28 T29 T30 T31
    T32 T33 T34 T35 T36 T37 T38 T39 T40 T41 T42 T43 T44 T45 T46 T47
    T48 T49 T50 T51 T52 T53 T54 T55 T56 T57 T58 T59 T60 T61 T62 T63
    T64 T65 T66 T67 T68 T69 T70 T71 T72 T73 T74 T75 T76 T77 T78 T79
    T80 T81 T82 T83 T84 T85 T86 T87 T88 T89 T90 T91 T92 T93 T94 T95
    T96 T97 T98 T99 T100 T101 T102 T103 T104 T105 T106 T107 T108 T109 T110 T111
    T112 T113 T114 T115 T116 T117 T118 T119 T120 T121 T122 T123 T124 T125 T126 T127
}
