//! `#[receiver]`: the function stays as it is, and a registration is added.

use darling::{FromMeta, Result};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Path, ReturnType, Type, TypeReference,
    UnOp,
};

use crate::attr::{self, expected};
use crate::errors::Errors;
use crate::paths::Runtime;

/// What may stand in `#[receiver(..)]`.
#[derive(Debug, Default, FromMeta)]
struct Options {
    #[darling(default, with = parse_order)]
    order: Option<i32>,
    #[darling(default, with = parse_dispatch_uid)]
    dispatch_uid: Option<LitStr>,
    #[darling(default, rename = "crate", with = parse_facade)]
    facade: Option<Path>,
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
    let Meta::NameValue(it) = meta else {
        return Err(expected(meta, "dispatch_uid = \"send_welcome_mail\""));
    };
    match &it.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(uid), ..
        }) if !uid.value().is_empty() => Ok(Some(uid.clone())),
        _ => Err(expected(meta, "dispatch_uid = \"send_welcome_mail\"")),
    }
}

fn parse_facade(meta: &Meta) -> Result<Option<Path>> {
    attr::value(meta, "crate = path::to::diesel_hooks").map(Some)
}

/// A function that can be a receiver.
struct Receiver<'a> {
    name: &'a Ident,
    event: &'a Type,
    form: Form,
    conn: Option<&'a Type>,
    returns: &'a ReturnType,
}

/// How the event is taken.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Each,
    Change,
    Batch,
}

const FORMS: &str = "a receiver is `fn(&Signal)`, `fn(&mut PreSignal)` or `fn(&[Signal])`, with the \
                     connection as second argument if it needs one: `fn(&Signal, &mut SqliteConnection)`";

pub(crate) fn receiver(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options: Options = attr::read(attr::arguments(options, &mut errors), &mut errors);
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            errors.at(&item, "`#[receiver]` stands on a function");
            return quote!(#item #errors);
        }
    };
    let registration =
        Receiver::read(&function, &mut errors).map(|receiver| receiver.register(&options));
    quote!(#item #registration #errors)
}

impl<'a> Receiver<'a> {
    fn read(function: &'a ItemFn, errors: &mut Errors) -> Option<Self> {
        let signature = &function.sig;
        if let Some(token) = &signature.asyncness {
            errors.at(
                token,
                "a receiver runs inside the transaction of the operation and cannot be `async`",
            );
        }
        if let Some(param) = signature
            .generics
            .params
            .iter()
            .find(|it| !matches!(it, syn::GenericParam::Lifetime(_)))
        {
            errors.at(
                param,
                "a receiver hears one signal on one connection type and cannot be generic",
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
            Some(FnArg::Typed(argument)) => Some(connection(&argument.ty, errors)?),
            _ => None,
        };
        if let Some(third) = arguments.next() {
            errors.at(third, format!("one argument too many: {FORMS}"));
            return None;
        }
        let (form, event) = event?;
        let fits =
            signature.asyncness.is_none() && signature.generics.type_params().next().is_none();
        (fits && signature.generics.const_params().next().is_none()).then_some(Receiver {
            name: &signature.ident,
            event,
            form,
            conn,
            returns: &signature.output,
        })
    }

    fn register(&self, options: &Options) -> TokenStream {
        let runtime = Runtime::new(options.facade.as_ref());
        let Receiver { name, event, .. } = self;
        let uid = self.uid(options);
        let order = options.order.unwrap_or(0);
        let line = quote_spanned!(name.span()=> ::core::line!());
        let fallible = self.is_fallible();
        let handler = self.handler();
        let checks = self.checks();
        quote! {
            const _: () = {
                use #runtime as __hooks;
                #checks
                __hooks::inventory::submit! {
                    __hooks::Receiver {
                        uid: #uid,
                        order: #order,
                        before: &[],
                        after: &[],
                        file: ::core::file!(),
                        line: #line,
                        signal: ::core::any::type_name::<#event>,
                        signal_id: ::core::any::TypeId::of::<#event>,
                        when: __hooks::When::Now,
                        compares: false,
                        fallible: #fallible,
                        handler: &#handler,
                    }
                }
            };
        }
    }

    fn uid(&self, options: &Options) -> TokenStream {
        let name = self.name.unraw().to_string();
        match &options.dispatch_uid {
            Some(uid) => quote!(#uid),
            None => quote!(::core::concat!(::core::module_path!(), "::", #name)),
        }
    }

    fn is_fallible(&self) -> bool {
        match self.returns {
            ReturnType::Default => false,
            ReturnType::Type(_, ty) => {
                !matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty())
            }
        }
    }

    fn handler(&self) -> TokenStream {
        let Receiver {
            name,
            event,
            form,
            conn,
            ..
        } = self;
        let base = match form {
            Form::Each => "Each",
            Form::Change => "Change",
            Form::Batch => "Batch",
        };
        // A return type that is none of the possible ones is reported where it stands.
        let span = match self.returns {
            ReturnType::Default => Span::call_site(),
            ReturnType::Type(_, ty) => Span::call_site().located_at(ty.span()),
        };
        let outcome = Ident::new("__outcome", span);
        match conn {
            None => {
                let handler = format_ident!("{base}");
                quote! {
                    __hooks::#handler::<#event>(|__event| {
                        let #outcome = #name(__event);
                        __hooks::IntoOutcome::into_outcome(#outcome)
                    })
                }
            }
            Some(conn) => {
                let handler = format_ident!("{base}On");
                quote! {
                    __hooks::#handler::<#event, #conn>(|__event, __conn| {
                        let #outcome = #name(__event, __conn);
                        __hooks::IntoOutcome::into_outcome(#outcome)
                    })
                }
            }
        }
    }

    /// What the types must be, asked where the user wrote them.
    fn checks(&self) -> TokenStream {
        let Receiver { event, conn, .. } = self;
        let signal = match conn {
            None => quote!(__hooks::signal::<#event>()),
            Some(conn) => quote!(__hooks::sent_on::<#event, #conn>()),
        };
        let form = match self.form {
            Form::Each => None,
            Form::Change => Some(quote!(const _: () = __hooks::changeable::<#event>();)),
            Form::Batch => Some(quote!(const _: () = __hooks::batched::<#event>();)),
        };
        quote!(const _: () = #signal; #form)
    }
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

fn connection<'a>(ty: &'a Type, errors: &mut Errors) -> Option<&'a Type> {
    match bare(ty) {
        Type::Reference(TypeReference {
            mutability: Some(_),
            elem,
            ..
        }) => concrete(elem, errors).then_some(&**elem),
        _ => {
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
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(it) => bare(&it.elem),
        Type::Group(it) => bare(&it.elem),
        _ => ty,
    }
}
