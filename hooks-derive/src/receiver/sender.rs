//! For whom a function is registered: a generic one for each sender and connection that is named.

use proc_macro2::Ident;
use syn::visit_mut::{self, VisitMut};
use syn::{Path, Type};

use super::options::Options;
use super::signature::{Signature, bare};
use crate::attr::Paths;
use crate::errors::Errors;

/// One registration of the function.
pub(super) struct Subscription<'a> {
    pub(super) event: Type,
    pub(super) conn: Option<Type>,
    /// What stands for the type parameters, in their order.
    pub(super) arguments: Vec<&'a Path>,
    /// The sender and the connection, where an option names them.
    pub(super) sender: Option<&'a Path>,
    pub(super) connection: Option<&'a Path>,
}

/// What the type parameters stand for.
#[derive(Default)]
struct Params<'a> {
    sender: Option<&'a Ident>,
    connection: Option<&'a Ident>,
}

impl<'a> Subscription<'a> {
    pub(super) fn all(
        signature: &Signature<'_>,
        options: &'a Options,
        errors: &mut Errors,
    ) -> Option<Vec<Self>> {
        let params = Params::of(signature, errors)?;
        let senders = SENDERS.named(params.sender, options, errors);
        let connections = CONNECTIONS.named(params.connection, options, errors);
        let (senders, connections) = (senders?, connections?);
        let each = senders.iter().flat_map(|&sender| {
            connections
                .iter()
                .map(move |&connection| (sender, connection))
        });
        Some(
            each.map(|(sender, connection)| {
                Subscription::new(signature, &params, sender, connection)
            })
            .collect(),
        )
    }

    fn new(
        signature: &Signature<'_>,
        params: &Params<'_>,
        sender: Option<&'a Path>,
        connection: Option<&'a Path>,
    ) -> Self {
        let concrete = |ty: &Type| {
            let mut ty = ty.clone();
            for (param, by) in [(params.sender, sender), (params.connection, connection)] {
                if let (Some(param), Some(by)) = (param, by) {
                    Substitution::new(param, by).visit_type_mut(&mut ty);
                }
            }
            ty
        };
        let argument = |param: &&Ident| match Some(*param) == params.sender {
            true => sender,
            false => connection,
        };
        Subscription {
            event: concrete(signature.event),
            conn: signature.conn.as_ref().map(|it| concrete(it.ty)),
            arguments: signature.params.iter().filter_map(argument).collect(),
            sender,
            connection,
        }
    }
}

impl<'a> Params<'a> {
    fn of(signature: &Signature<'a>, errors: &mut Errors) -> Option<Self> {
        let mut params = Params::default();
        for &param in &signature.params {
            let place = match param {
                _ if is_connection(param, signature) => &mut params.connection,
                _ if occurs(param, signature.event) => &mut params.sender,
                _ => {
                    errors.at(
                        param,
                        format!("nothing says what `{param}` is: a receiver may be generic over the model in its signal, and over the connection that it takes as `&mut {param}`"),
                    );
                    return None;
                }
            };
            if place.replace(param).is_some() {
                errors.at(
                    param,
                    "one type parameter is for the model, and one for the connection",
                );
                return None;
            }
        }
        Some(params)
    }
}

/// An option that makes a generic function several receivers.
struct Generic {
    paths: fn(&Options) -> Option<&Paths>,
    missing: &'static str,
    needless: &'static str,
}

const SENDERS: Generic = Generic {
    paths: |options| options.senders.as_ref(),
    missing: "a receiver hears one signal on one connection type: `#[receiver(senders(User, Article))]` \
              makes a function that is generic over the model one for each",
    needless: "`senders` is for a function that is generic over the model: \
               `fn hear<M: Model>(event: &PostSave<M>)`",
};

const CONNECTIONS: Generic = Generic {
    paths: |options| options.connections.as_ref(),
    missing: "a receiver hears one signal on one connection type: \
              `#[receiver(connections(SqliteConnection, PgConnection))]` makes a function that is generic over \
              the connection one for each",
    needless: "`connections` is for a function that is generic over the connection: \
               `fn hear<C: RawConnection>(event: &PostSave<User>, conn: &mut C)`",
};

impl Generic {
    /// What stands for a parameter: each of the named, or nothing once.
    fn named<'a>(
        &self,
        param: Option<&Ident>,
        options: &'a Options,
        errors: &mut Errors,
    ) -> Option<Vec<Option<&'a Path>>> {
        match (param, (self.paths)(options)) {
            (None, None) => Some(vec![None]),
            (Some(_), Some(paths)) => once(paths, errors),
            (Some(_), None) if options.are_wrong => None,
            (Some(param), None) => {
                errors.at(param, self.missing);
                None
            }
            (None, Some(paths)) => {
                errors.at(&paths.key, self.needless);
                None
            }
        }
    }
}

fn once<'a>(paths: &'a Paths, errors: &mut Errors) -> Option<Vec<Option<&'a Path>>> {
    for (index, path) in paths.paths.iter().enumerate() {
        if paths.paths[..index].contains(path) {
            errors.at(path, "this one is named already");
            return None;
        }
    }
    Some(paths.paths.iter().map(Some).collect())
}

fn is_connection(param: &Ident, signature: &Signature<'_>) -> bool {
    let ty = signature.conn.as_ref().map(|it| bare(it.ty));
    matches!(ty, Some(Type::Path(it)) if it.qself.is_none() && it.path.is_ident(param))
}

fn occurs(param: &Ident, ty: &Type) -> bool {
    let itself = Path::from(param.clone());
    let mut substitution = Substitution::new(param, &itself);
    substitution.visit_type_mut(&mut ty.clone());
    substitution.found
}

/// Puts a path where a type parameter stands.
struct Substitution<'a> {
    param: &'a Ident,
    by: &'a Path,
    found: bool,
}

impl<'a> Substitution<'a> {
    fn new(param: &'a Ident, by: &'a Path) -> Self {
        Substitution {
            param,
            by,
            found: false,
        }
    }
}

impl VisitMut for Substitution<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let is_param = path
            .segments
            .first()
            .is_some_and(|it| it.ident == *self.param);
        if is_param && path.leading_colon.is_none() {
            self.found = true;
            let rest = std::mem::replace(path, self.by.clone()).segments;
            path.segments.extend(rest.into_iter().skip(1));
        }
    }
}
