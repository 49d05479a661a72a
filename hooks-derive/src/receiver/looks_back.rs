//! Whether a receiver may ask its event for the row as it was, which is kept for those only.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, Ident, ItemFn, Pat};

/// What an event has besides the old row.
const OF_NOW: [&str; 3] = ["instance", "raw", "created"];

/// False only if each time that the function names its event, it is for something else.
pub(super) fn looks_back(function: &ItemFn) -> bool {
    let Some(FnArg::Typed(event)) = function.sig.inputs.first() else {
        return true;
    };
    match &*event.pat {
        Pat::Wild(_) => false,
        Pat::Ident(it) => asks(function.block.to_token_stream(), &it.ident),
        _ => true,
    }
}

fn asks(body: TokenStream, event: &Ident) -> bool {
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let asks = match token {
            TokenTree::Group(group) => asks(group.stream(), event),
            TokenTree::Ident(ident) if ident == *event => {
                let dot =
                    tokens.next_if(|it| matches!(it, TokenTree::Punct(it) if it.as_char() == '.'));
                let of_now = |it: &TokenTree| OF_NOW.iter().any(|field| it.to_string() == *field);
                dot.is_none() || tokens.next_if(of_now).is_none()
            }
            // A format string may name it.
            TokenTree::Literal(literal) => literal.to_string().contains(&event.to_string()),
            _ => false,
        };
        if asks {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::looks_back;

    #[test]
    fn only_the_fields_of_now_do_not_look_back() {
        assert!(!looks_back(&parse_quote!(
            fn f(_: &PostUpdate<User>) {}
        )));
        assert!(!looks_back(&parse_quote!(
            fn f(event: &PostUpdate<User>) {
                log!("{} {}", event.instance.name, event.raw);
            }
        )));
        assert!(looks_back(&parse_quote!(
            fn f(event: &PostUpdate<User>) {
                log!("{:?}", event.before());
            }
        )));
        assert!(looks_back(&parse_quote!(
            fn f(event: &PostUpdate<User>) {
                log!("{event:?}");
            }
        )));
        assert!(looks_back(&parse_quote!(
            fn f(event: &PostUpdate<User>) {
                elsewhere(event);
            }
        )));
        assert!(looks_back(&parse_quote!(
            fn f(PostUpdate { instance, .. }: &PostUpdate<User>) {}
        )));
    }
}
