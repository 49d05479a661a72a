//! `#[derive(Signal)]`: a struct of the application's own that receivers hear.

use darling::FromMeta;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, GenericParam, Generics, Path, parse_quote};

use crate::attr;
use crate::errors::Errors;
use crate::paths::Runtime;

/// What may stand in `#[signal(..)]`.
#[derive(Debug, Default, FromMeta)]
struct SignalAttr {
    #[darling(default, rename = "crate", with = attr::parse_facade)]
    facade: Option<Path>,
}

pub(crate) fn signal(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.ok(syn::parse2::<DeriveInput>(input)) else {
        return quote!(#errors);
    };
    let attr: SignalAttr = attr::named("signal", &item.attrs, &mut errors);
    let impls = can_be_sent(&item, &mut errors).then(|| generate(&item, &attr));
    quote!(#impls #errors)
}

fn can_be_sent(item: &DeriveInput, errors: &mut Errors) -> bool {
    if let Data::Union(data) = &item.data {
        errors.at(data.union_token, "a signal is a struct or an enum");
        return false;
    }
    for lifetime in item.generics.lifetimes() {
        errors.at(
            lifetime,
            format!(
                "a signal owns what it tells: `{}` cannot borrow, because after-commit work may keep it",
                item.ident.unraw()
            ),
        );
    }
    item.generics.lifetimes().next().is_none()
}

fn generate(item: &DeriveInput, attr: &SignalAttr) -> TokenStream {
    let runtime = Runtime::new(attr.facade.as_ref());
    let name = &item.ident;
    let text = name.unraw().to_string();
    let generics = owned(item.generics.clone());
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let mut on_any = generics.clone();
    on_any
        .params
        .push(parse_quote!(__C: __hooks::RawConnection));
    let (on_any, ..) = on_any.split_for_impl();
    quote! {
        const _: () = {
            use #runtime as __hooks;
            #[automatically_derived]
            impl #parameters __hooks::Signal for #name #arguments #bounds {
                const NAME: &'static str = #text;
            }
            #[automatically_derived]
            impl #parameters __hooks::CustomSignal for #name #arguments #bounds {}
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            impl #on_any __hooks::SentOn<__C> for #name #arguments #bounds {}
        };
    }
}

/// Nothing that a parameter stands for borrows either.
fn owned(mut generics: Generics) -> Generics {
    for param in &mut generics.params {
        if let GenericParam::Type(param) = param {
            param.bounds.push(parse_quote!('static));
        }
    }
    generics
}
