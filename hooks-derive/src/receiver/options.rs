//! What may stand in `#[receiver(..)]`.

use darling::{FromMeta, Result};
use proc_macro2::{Ident, Span};
use syn::parse::Parse;
use syn::{Expr, ExprLit, Lit, LitStr, Meta, Path, UnOp};

use crate::attr::{self, Paths, expected, wrong};

/// The fields are the keys: darling reads them, and names them when it meets another.
#[derive(Debug, Default, FromMeta)]
pub(super) struct Options {
    #[darling(default, with = parse_order)]
    pub(super) order: Option<i32>,
    #[darling(multiple, with = parse_before)]
    pub(super) before: Vec<Uids>,
    #[darling(multiple, with = parse_after)]
    pub(super) after: Vec<Uids>,
    #[darling(default, with = parse_dispatch_uid)]
    pub(super) dispatch_uid: Option<LitStr>,
    #[darling(default, with = parse_changed)]
    pub(super) changed: Option<Paths>,
    pub(super) after_commit: Option<AfterCommit>,
    #[darling(default, with = parse_after_rollback)]
    pub(super) after_rollback: Option<Ident>,
    #[darling(default, with = parse_senders)]
    pub(super) senders: Option<Paths>,
    #[darling(default, with = parse_connections)]
    pub(super) connections: Option<Paths>,
    #[darling(default, rename = "crate", with = attr::parse_facade)]
    pub(super) facade: Option<Path>,
    /// One of them could not be read: what is missing may be what was meant.
    #[darling(skip)]
    pub(super) are_wrong: bool,
}

/// `= "uid"`, or `("uid", ..)`
#[derive(Debug)]
pub(super) struct Uids(pub(super) Vec<LitStr>);

/// `after_commit`, or `after_commit(merged)`
#[derive(Debug)]
pub(super) struct AfterCommit {
    pub(super) merged: Option<Ident>,
}

/// When a receiver is called.
#[derive(Clone, Copy)]
pub(super) enum When<'a> {
    Now,
    AfterCommit,
    /// The word that says so.
    AfterCommitMerged(&'a Ident),
    AfterRollback,
}

impl Options {
    pub(super) fn when(&self) -> When<'_> {
        match (&self.after_commit, &self.after_rollback) {
            (None, None) => When::Now,
            (None, Some(_)) => When::AfterRollback,
            (Some(AfterCommit { merged: None }), _) => When::AfterCommit,
            (Some(AfterCommit { merged: Some(word) }), _) => When::AfterCommitMerged(word),
        }
    }
}

impl When<'_> {
    pub(super) fn variant(self) -> Ident {
        let name = match self {
            When::Now => "Now",
            When::AfterCommit => "AfterCommit",
            When::AfterCommitMerged(_) => "AfterCommitMerged",
            When::AfterRollback => "AfterRollback",
        };
        Ident::new(name, Span::call_site())
    }
}

impl FromMeta for AfterCommit {
    fn from_meta(meta: &Meta) -> Result<Self> {
        const FORM: &str = "after_commit` or `after_commit(merged)";
        let merged = match meta {
            Meta::Path(_) => None,
            Meta::List(list) => match list.parse_args::<Ident>() {
                Ok(word) if word == "merged" => Some(word),
                Ok(word) => return Err(wrong(FORM).with_span(&word)),
                Err(_) => return Err(expected(meta, FORM)),
            },
            Meta::NameValue(_) => return Err(expected(meta, FORM)),
        };
        Ok(AfterCommit { merged })
    }
}

fn parse_order(meta: &Meta) -> Result<Option<i32>> {
    let number = match meta {
        Meta::NameValue(it) => integer(&it.value),
        _ => None,
    };
    number
        .map(Some)
        .ok_or_else(|| expected(meta, "order = -10` with an `i32"))
}

fn integer(value: &Expr) -> Option<i32> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) => int.base10_parse().ok(),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match &*unary.expr {
            Expr::Lit(ExprLit {
                lit: Lit::Int(int), ..
            }) => format!("-{}", int.base10_digits()).parse().ok(),
            _ => None,
        },
        Expr::Group(group) => integer(&group.expr),
        _ => None,
    }
}

fn parse_dispatch_uid(meta: &Meta) -> Result<Option<LitStr>> {
    let uid = match meta {
        Meta::NameValue(it) => uid(&it.value),
        _ => None,
    };
    uid.map(Some)
        .ok_or_else(|| expected(meta, "dispatch_uid = \"send_welcome_mail\""))
}

fn parse_before(meta: &Meta) -> Result<Uids> {
    const FORM: &str = "before = \"send_welcome_mail\"` or `before(\"one\", \"other\")";
    uids(meta, FORM)
}

fn parse_after(meta: &Meta) -> Result<Uids> {
    const FORM: &str = "after = \"send_welcome_mail\"` or `after(\"one\", \"other\")";
    uids(meta, FORM)
}

fn uids(meta: &Meta, form: &str) -> Result<Uids> {
    let values = match meta {
        Meta::NameValue(it) => vec![it.value.clone()],
        _ => attr::list(meta, form, Expr::parse)?,
    };
    let uid = |value| uid(value).ok_or_else(|| wrong(form).with_span(value));
    values.iter().map(uid).collect::<Result<_>>().map(Uids)
}

fn uid(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(uid), ..
        }) if !uid.value().is_empty() => Some(uid.clone()),
        Expr::Group(group) => uid(&group.expr),
        _ => None,
    }
}

fn parse_changed(meta: &Meta) -> Result<Option<Paths>> {
    Paths::parse(meta, "changed(employees::email, ..)", Path::parse_mod_style).map(Some)
}

fn parse_senders(meta: &Meta) -> Result<Option<Paths>> {
    Paths::parse(meta, "senders(User, Article)", Path::parse).map(Some)
}

fn parse_connections(meta: &Meta) -> Result<Option<Paths>> {
    Paths::parse(meta, "connections(SqliteConnection, ..)", Path::parse).map(Some)
}

fn parse_after_rollback(meta: &Meta) -> Result<Option<Ident>> {
    match meta {
        Meta::Path(word) => Ok(Some(word.require_ident()?.clone())),
        _ => Err(expected(meta, "after_rollback")),
    }
}
