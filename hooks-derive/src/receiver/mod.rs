//! `#[receiver]`: the function stays as it is, and a registration is added.

mod check;
mod looks_back;
mod options;
mod register;
mod sender;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

use self::options::Options;
use self::sender::Subscription;
use self::signature::Signature;
use crate::attr;
use crate::errors::Errors;

pub(crate) fn receiver(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut options: Options = attr::read(attr::arguments(options, &mut errors), &mut errors);
    options.are_wrong = !errors.is_empty();
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            errors.at(&item, "`#[receiver]` stands on a function");
            return quote!(#item #errors);
        }
    };
    let registrations = registrations(&function, &options, &mut errors);
    quote!(#item #registrations #errors)
}

fn registrations(function: &ItemFn, options: &Options, errors: &mut Errors) -> Option<TokenStream> {
    let signature = Signature::read(function, errors)?;
    let subscriptions = Subscription::all(&signature, options, errors);
    let fits = check::check(&signature, options, errors);
    let subscriptions = subscriptions.filter(|_| fits)?;
    Some(register::register(&signature, options, &subscriptions))
}
