//! What a function says about what it hears.

use proc_macro2::Ident;
use syn::{
    FnArg, GenericArgument, GenericParam, ItemFn, PatType, PathArguments, PathSegment, ReturnType,
    Type, TypeReference,
};

use super::looks_back::looks_back;
use crate::errors::Errors;

/// A function that can be a receiver.
pub(super) struct Signature<'a> {
    pub(super) name: &'a Ident,
    /// Its type parameters.
    pub(super) params: Vec<&'a Ident>,
    pub(super) event: &'a Type,
    pub(super) form: Form,
    pub(super) conn: Option<Connection<'a>>,
    pub(super) returns: &'a ReturnType,
    /// Whether it may ask for the row as it was.
    pub(super) looks_back: bool,
}

/// How the event is taken.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    Each,
    Change,
    Batch,
}

pub(super) struct Connection<'a> {
    pub(super) argument: &'a PatType,
    pub(super) ty: &'a Type,
}

const FORMS: &str = "a receiver is `fn(&Signal)`, `fn(&mut PreSignal)` or `fn(&[Signal])`, with the \
                     connection as second argument if it needs one: `fn(&Signal, &mut SqliteConnection)`";

impl<'a> Signature<'a> {
    /// Reads what can be registered; nothing can be, where this is no receiver.
    pub(super) fn read(function: &'a ItemFn, errors: &mut Errors) -> Option<Self> {
        let signature = &function.sig;
        if let Some(token) = &signature.asyncness {
            errors.at(
                token,
                "a receiver runs inside the transaction of the operation and cannot be `async`",
            );
        }
        let mut arguments = signature.inputs.iter();
        let event = match arguments.next() {
            Some(FnArg::Typed(argument)) => event(&argument.ty, errors),
            Some(FnArg::Receiver(it)) => {
                errors.at(it, "a receiver is a function of its own, not a method");
                return None;
            }
            None => {
                errors.push(syn::Error::new(signature.paren_token.span.join(), FORMS));
                None
            }
        };
        let conn = match arguments.next() {
            Some(FnArg::Typed(argument)) => Some(connection(argument, errors)?),
            _ => None,
        };
        if let Some(third) = arguments.next() {
            errors.at(third, format!("one argument too many: {FORMS}"));
            return None;
        }
        let (form, event) = event?;
        let params = type_params(function, errors)?;
        signature.asyncness.is_none().then_some(Signature {
            name: &signature.ident,
            params,
            event,
            form,
            conn,
            returns: &signature.output,
            looks_back: looks_back(function),
        })
    }

    pub(super) fn is_fallible(&self) -> bool {
        match self.returns {
            ReturnType::Default => false,
            ReturnType::Type(_, ty) => {
                !matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty())
            }
        }
    }

    /// The trait that sends, where no model is named: `PostSave<dyn Activity>`.
    pub(super) fn trait_sender(&self) -> Option<&'a Type> {
        let PathArguments::AngleBracketed(arguments) = &self.signal()?.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) if matches!(bare(ty), Type::TraitObject(_)) => Some(ty),
            _ => None,
        })
    }

    /// As far as its name tells.
    pub(super) fn is_before_the_write(&self) -> bool {
        const SIGNALS: [&str; 3] = ["PreSave", "PreCreate", "PreUpdate"];
        self.signal()
            .is_some_and(|it| SIGNALS.iter().any(|name| it.ident == name))
    }

    fn signal(&self) -> Option<&'a PathSegment> {
        match bare(self.event) {
            Type::Path(it) => it.path.segments.last(),
            _ => None,
        }
    }
}

fn type_params<'a>(function: &'a ItemFn, errors: &mut Errors) -> Option<Vec<&'a Ident>> {
    let generics = &function.sig.generics;
    let mut params = Some(Vec::new());
    for param in &generics.params {
        match param {
            GenericParam::Lifetime(_) => {}
            GenericParam::Type(it) => params.iter_mut().for_each(|all| all.push(&it.ident)),
            GenericParam::Const(it) => {
                errors.at(it, "nothing says what this is: a receiver may be generic over the model and the connection");
                params = None;
            }
        }
    }
    params
}

fn event<'a>(ty: &'a Type, errors: &mut Errors) -> Option<(Form, &'a Type)> {
    let Type::Reference(TypeReference {
        mutability, elem, ..
    }) = bare(ty)
    else {
        errors.at(ty, format!("the signal is taken by reference: {FORMS}"));
        return None;
    };
    let (form, event) = match (bare(elem), mutability) {
        (Type::Slice(_), Some(_)) => {
            errors.at(ty, "a batch is taken by `&[Signal]`: what is about to be written is changed one by one, by `&mut PreSignal`");
            return None;
        }
        (Type::Slice(slice), None) => (Form::Batch, &*slice.elem),
        (event, Some(_)) => (Form::Change, event),
        (event, None) => (Form::Each, event),
    };
    concrete(event, errors).then_some((form, event))
}

fn connection<'a>(argument: &'a PatType, errors: &mut Errors) -> Option<Connection<'a>> {
    match bare(&argument.ty) {
        Type::Reference(TypeReference {
            mutability: Some(_),
            elem,
            ..
        }) => concrete(elem, errors).then_some(Connection { argument, ty: elem }),
        ty => {
            errors.at(
                ty,
                "the connection is taken by `&mut`, such as `&mut SqliteConnection`",
            );
            None
        }
    }
}

fn concrete(ty: &Type, errors: &mut Errors) -> bool {
    let is_impl = matches!(bare(ty), Type::ImplTrait(_));
    if is_impl {
        errors.at(
            ty,
            "a receiver names the types that it takes: `impl Trait` could be any",
        );
    }
    !is_impl
}

/// Without the parentheses and invisible groups around it.
pub(super) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(it) => bare(&it.elem),
        Type::Group(it) => bare(&it.elem),
        _ => ty,
    }
}
