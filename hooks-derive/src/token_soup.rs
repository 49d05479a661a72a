//! Whatever the macros are given, they answer with code or with errors.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

const WORDS: &[&str] = &[
    "struct",
    "enum",
    "union",
    "fn",
    "async",
    "pub",
    "crate",
    "Self",
    "self",
    "super",
    "where",
    "impl",
    "dyn",
    "mut",
    "ref",
    "const",
    "Profile",
    "User",
    "r#type",
    "größe",
    "id",
    "user_id",
    "i32",
    "String",
    "hooks",
    "diesel",
    "receiver",
    "new",
    "connection",
    "one_to_one",
    "on_delete",
    "Cascade",
    "Protect",
    "related_name",
    "accessor",
    "auto_create",
    "generated",
    "assigned",
    "order",
    "before",
    "after",
    "changed",
    "after_commit",
    "merged",
    "after_rollback",
    "senders",
    "connections",
    "extends",
    "signal",
    "users::email",
    "M",
    "dispatch_uid",
    "table_name",
    "primary_key",
    "column_name",
    "embed",
    "serialize_as",
    "select_expression",
    "check_for_backend",
    "skip_insertion",
    "treat_none_as_default_value",
    "disable",
    "true",
    "_",
    "'a",
    "=",
    ",",
    ":",
    "::",
    ";",
    "<",
    ">",
    "&",
    "-",
    "#",
    "->",
    "!",
    "+",
    "..",
    "?",
    "\"\"",
    "\"id\"",
    "\"a b\"",
    "1",
    "-1",
    "99999999999999999999",
    "1.5",
    "'c'",
    "b\"x\"",
];

/// A source of numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }

    fn soup(&mut self, depth: usize) -> TokenStream {
        let length = self.below(8);
        (0..length).flat_map(|_| self.ingredient(depth)).collect()
    }

    fn ingredient(&mut self, depth: usize) -> TokenStream {
        if depth > 0 && self.below(5) == 0 {
            let delimiters = [
                Delimiter::Parenthesis,
                Delimiter::Brace,
                Delimiter::Bracket,
                Delimiter::None,
            ];
            let group = Group::new(delimiters[self.below(4)], self.soup(depth - 1));
            return TokenTree::from(group).into();
        }
        TokenStream::from_str(WORDS[self.below(WORDS.len())]).expect("each word is a token")
    }
}

/// Every word that can go on, followed by every other.
fn items() -> impl Iterator<Item = TokenStream> {
    let word = |text: &str| TokenStream::from_str(text).expect("each word is a token");
    WORDS.iter().flat_map(move |one| {
        WORDS.iter().map(move |other| {
            let (one, other) = (word(one), word(other));
            quote!(#one #other)
        })
    })
}

#[test]
fn soup_is_answered() {
    let mut numbers = Numbers(1);
    for _ in 0..5_000 {
        let input = numbers.soup(3);
        crate::expand::hooks(input.clone());
        crate::signal::signal(input.clone());
        crate::receiver::receiver(numbers.soup(2), input);
    }
}

#[test]
fn soup_in_attributes_is_answered_with_items() {
    let mut numbers = Numbers(2);
    for _ in 0..2_000 {
        let [a, b, c, d, e] = std::array::from_fn(|_| numbers.soup(2));
        let output = crate::expand::hooks(quote! {
            #[hooks(#a)]
            #[diesel(#b)]
            pub struct Profile {
                id: i32,
                #[hooks(#c)]
                user_id: i32,
                #[diesel(#d)]
                #[hooks(one_to_one(User, #e))]
                bio: String,
            }
        });
        assert_items(output);
    }
}

#[test]
fn pairs_of_words_are_answered_with_items() {
    for pair in items().step_by(4) {
        assert_items(crate::expand::hooks(quote! {
            #[hooks(#pair)]
            #[diesel(#pair)]
            struct Profile {
                id: i32,
                #[hooks(#pair, one_to_one(User, on_delete = Cascade, #pair))]
                user_id: i32,
            }
        }));
        let function = quote!(
            fn hear(event: &PostSave<User>, conn: &mut SqliteConnection) {}
        );
        assert_items(crate::receiver::receiver(pair.clone(), function));
        assert_items(crate::signal::signal(quote! {
            #[signal(#pair)]
            struct Told;
        }));
    }
}

#[test]
fn soup_in_the_lists_of_options_is_answered_with_items() {
    let mut numbers = Numbers(4);
    for _ in 0..2_000 {
        let [a, b, c, d] = std::array::from_fn(|_| numbers.soup(2));
        let options = quote!(before(#a), changed(#b), senders(User, #c), connections(#d));
        assert_items(crate::receiver::receiver(
            options,
            quote!(
                fn hear<M, C>(event: &PostSave<M>, conn: &mut C) {}
            ),
        ));
        let options = quote!(senders(#a), connections(#b));
        assert_items(crate::receiver::receiver(
            options,
            quote!(
                fn hear<M, C>(event: &Told<M::Pk, [C; N]>, conn: &mut C) {}
            ),
        ));
        let options = quote!(changed(#a), after_commit(#b));
        assert_items(crate::receiver::receiver(
            options,
            quote!(
                fn hear(event: &PostSave<dyn Activity>) {}
            ),
        ));
    }
}

#[test]
fn soup_in_a_signal_is_answered() {
    let mut numbers = Numbers(5);
    for _ in 0..5_000 {
        let [a, b, c] = std::array::from_fn(|_| numbers.soup(2));
        crate::signal::signal(quote! {
            #[signal(#a)]
            struct Told<#b> { #c }
        });
    }
}

#[test]
fn soup_in_a_connection_is_answered() {
    let mut numbers = Numbers(6);
    for _ in 0..5_000 {
        let [a, b, c] = std::array::from_fn(|_| numbers.soup(2));
        crate::connection::connection(quote! {
            #[hooks(#a)]
            enum AnyConnection { Sqlite(#b), #c }
        });
    }
}

#[test]
fn soup_in_a_signature_is_answered() {
    let mut numbers = Numbers(3);
    for _ in 0..5_000 {
        let [a, b, c] = std::array::from_fn(|_| numbers.soup(2));
        crate::receiver::receiver(
            quote!(),
            quote!(fn hear(event: &#a, conn: &mut #b) -> #c {}),
        );
    }
}

fn assert_items(output: TokenStream) {
    if let Err(error) = syn::parse2::<syn::File>(output.clone()) {
        panic!("{error} in {output}");
    }
}
