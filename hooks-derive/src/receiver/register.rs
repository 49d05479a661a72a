//! The registration of a receiver.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Path, ReturnType, Type};

use super::options::{Options, Uids, When};
use super::sender::Subscription;
use super::signature::{Form, Signature};
use crate::paths::Runtime;

pub(super) fn register(
    signature: &Signature<'_>,
    options: &Options,
    subscriptions: &[Subscription<'_>],
) -> TokenStream {
    let runtime = Runtime::new(options.facade.as_ref());
    let each = subscriptions.iter().map(|it| {
        let checks = checks(signature, it);
        let submission = submission(signature, options, it);
        quote!(#checks #submission)
    });
    quote! {
        const _: () = {
            use #runtime as __hooks;
            #(#each)*
        };
    }
}

fn submission(
    signature: &Signature<'_>,
    options: &Options,
    subscription: &Subscription<'_>,
) -> TokenStream {
    let event = &subscription.event;
    let uid = uid(signature.name, options);
    let order = options.order.unwrap_or(0);
    let before = uids(&options.before);
    let after = uids(&options.after);
    let line = quote_spanned!(signature.name.span()=> ::core::line!());
    let fallible = signature.is_fallible();
    let when = options.when().variant();
    let compares = options.changed.is_some();
    let looks_back = signature.looks_back;
    let handler = handler(signature, options, subscription);
    quote! {
        __hooks::inventory::submit! {
            __hooks::Receiver {
                uid: #uid,
                order: #order,
                before: #before,
                after: #after,
                file: ::core::file!(),
                line: #line,
                signal: ::core::any::type_name::<#event>,
                signal_id: ::core::any::TypeId::of::<#event>,
                fallible: #fallible,
                when: __hooks::When::#when,
                compares: #compares,
                looks_back: #looks_back,
                handler: &#handler,
            }
        }
    }
}

fn uid(name: &Ident, options: &Options) -> TokenStream {
    let name = name.unraw().to_string();
    match &options.dispatch_uid {
        Some(uid) => quote!(#uid),
        None => quote!(::core::concat!(::core::module_path!(), "::", #name)),
    }
}

fn uids(all: &[Uids]) -> TokenStream {
    let uids = all.iter().flat_map(|it| &it.0);
    quote!(&[#(#uids),*])
}

fn handler(
    signature: &Signature<'_>,
    options: &Options,
    subscription: &Subscription<'_>,
) -> TokenStream {
    let name = signature.name;
    let Subscription {
        event,
        conn,
        arguments,
        ..
    } = subscription;
    // A return type that is none of the possible ones is reported where it stands.
    let outcome = Ident::new("__outcome", returned_at(signature.returns));
    let generics = (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>));
    let unless_changed = unless_changed(options);
    let (types, inputs) = match conn {
        None => (quote!(#event), quote!(__event)),
        Some(conn) => (quote!(#event, #conn), quote!(__event, __conn)),
    };
    let told = shown_at(event, subscription.sender);
    let handler = maker(signature, options, types, told);
    quote! {
        #handler(|#inputs| {
            #unless_changed
            let #outcome = #name #generics(#inputs);
            __hooks::IntoOutcome::into_outcome(#outcome)
        })
    }
}

/// The constructor of the handler.
fn maker(
    signature: &Signature<'_>,
    options: &Options,
    types: TokenStream,
    told: TokenStream,
) -> TokenStream {
    let of_a_trait = signature.trait_sender().is_some();
    match (options.when(), signature.form, &signature.conn) {
        (When::Now, Form::Each, None) => quote!(__hooks::Each::<#types>),
        (When::Now, Form::Each, Some(_)) => quote!(__hooks::EachOn::<#types>),
        (When::Now, Form::Change, None) => quote!(__hooks::Concrete::<#types>::Change),
        (When::Now, Form::Change, Some(_)) => quote!(__hooks::ConcreteOn::<#types>::Change),
        (When::Now, Form::Batch, None) => quote!(__hooks::Concrete::<#types>::Batch),
        (When::Now, Form::Batch, Some(_)) => quote!(__hooks::ConcreteOn::<#types>::Batch),
        (When::AfterCommitMerged(_), ..) => quote!(__hooks::merged::<#told>),
        _ if of_a_trait => quote!(__hooks::DeferredSender::<#types>),
        _ => quote!(__hooks::deferred::<#told>),
    }
}

fn returned_at(returns: &ReturnType) -> Span {
    match returns {
        ReturnType::Default => Span::call_site(),
        ReturnType::Type(_, ty) => Span::call_site().located_at(ty.span()),
    }
}

/// Nothing without `changed(..)`.
fn unless_changed(options: &Options) -> Option<TokenStream> {
    let changed = options.changed.as_ref()?;
    // The method is the user's word, which a signal without columns does not have.
    let (method, columns) = (&changed.key, &changed.paths);
    Some(quote! {
        if !(#(__event.#method(#columns))||*) {
            return ::core::result::Result::Ok(());
        }
    })
}

/// What the types must be, asked where the user wrote them.
fn checks(signature: &Signature<'_>, subscription: &Subscription<'_>) -> TokenStream {
    let Subscription {
        event,
        conn,
        sender,
        connection,
        ..
    } = subscription;
    let told = shown_at(event, *sender);
    let of_a_trait = signature.trait_sender().is_some();
    let sent = match conn {
        _ if of_a_trait => quote!(trait_sender::<#event>()),
        None => quote!(signal::<#told>()),
        Some(conn) => {
            let told = shown_at(event, connection.or(*sender));
            quote!(sent_on::<#told, #conn>())
        }
    };
    let form = match signature.form {
        Form::Each => None,
        Form::Change => Some(quote!(changeable::<#told>())),
        Form::Batch => Some(quote!(batched::<#told>())),
    };
    let checks = [Some(sent), form].into_iter().flatten();
    quote!(#(const _: () = __hooks::#checks;)*)
}

/// The type, shown at the path that an option names: from its first token to its last.
fn shown_at(ty: &Type, path: Option<&Path>) -> TokenStream {
    let tokens = ty.to_token_stream();
    let Some(path) = path.map(ToTokens::to_token_stream) else {
        return tokens;
    };
    let mut path = path.into_iter().map(|it| it.span());
    let first = path.next().unwrap_or_else(Span::call_site);
    let last = path.last().unwrap_or(first);
    let end = tokens.clone().into_iter().count().saturating_sub(1);
    let shown = |(index, mut tree): (usize, TokenTree)| {
        let at = if index == end { last } else { first };
        tree.set_span(tree.span().located_at(at));
        tree
    };
    tokens.into_iter().enumerate().map(shown).collect()
}
