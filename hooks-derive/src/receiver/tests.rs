use proc_macro2::TokenStream;
use quote::quote;

/// What is added to the function, without its spaces.
fn added(options: TokenStream, function: TokenStream) -> String {
    let output = super::receiver(options, function.clone());
    let file = syn::parse2(output.clone()).expect("the output is items");
    println!("{}", prettyplease::unparse(&file));
    let function = function.to_string().replace(' ', "");
    let output = output.to_string().replace(' ', "");
    output
        .strip_prefix(&function)
        .expect("the function stays as it is")
        .to_owned()
}

fn signals(output: &str) -> Vec<&str> {
    let after = output.split("TypeId::of::<").skip(1);
    after
        .filter_map(|it| it.split_once(">,fallible"))
        .map(|(event, _)| event)
        .collect()
}

#[test]
fn a_plain_receiver_is_one_check_and_one_registration() {
    let output = added(
        quote!(),
        quote!(
            fn hear(event: &PostSave<User>) {}
        ),
    );
    assert_eq!(output.matches("const_:()=__hooks::").count(), 1);
    assert_eq!(signals(&output), ["PostSave<User>"]);
    assert!(output.contains("before:&[],after:&[]"));
    assert!(output.contains("when:__hooks::When::Now,compares:false"));
}

#[test]
fn a_generic_receiver_is_one_for_each_sender_on_each_connection() {
    let output = added(
        quote!(
            senders(User, models::Article),
            connections(SqliteConnection, PgConnection)
        ),
        quote!(
            fn hear<C, M>(event: &PostSave<M>, conn: &mut C) {}
        ),
    );
    assert_eq!(
        signals(&output),
        [
            "PostSave<User>",
            "PostSave<User>",
            "PostSave<models::Article>",
            "PostSave<models::Article>"
        ]
    );
    assert!(output.contains("hear::<PgConnection,models::Article>(__event,__conn)"));
}

#[test]
fn only_the_type_parameter_is_replaced() {
    let output = added(
        quote!(senders(models::User)),
        quote!(
            fn hear<M>(event: &Told<[M; 2], M::Pk, other::M, <M as Has<M = M>>::Key, ::M>) {}
        ),
    );
    assert_eq!(
        signals(&output),
        [
            "Told<[models::User;2],models::User::Pk,other::M,<models::UserasHas<M=models::User>>::Key,::M>"
        ]
    );
}

#[test]
fn columns_are_asked_before_the_function_is_called() {
    let output = added(
        quote!(
            changed(users::email, users::name),
            after = "a",
            after("b", "c")
        ),
        quote!(
            fn hear(event: &PostUpdate<User>, conn: &mut SqliteConnection) {}
        ),
    );
    let asked = "if!(__event.changed(users::email)||__event.changed(users::name)){return";
    assert!(output.find(asked) < output.find("hear(__event,__conn)"));
    assert!(output.contains("after:&[\"a\",\"b\",\"c\"]") && output.contains("compares:true"));
}

#[test]
fn a_signal_that_waits_is_given_to_what_keeps_it() {
    let hear = quote!(
        fn hear(event: &PostSave<User>) {}
    );
    for (options, when, handler) in [
        (
            quote!(after_commit),
            "AfterCommit",
            "deferred::<PostSave<User>>(",
        ),
        (
            quote!(after_commit(merged)),
            "AfterCommitMerged",
            "merged::<PostSave<User>>(",
        ),
        (
            quote!(after_rollback),
            "AfterRollback",
            "deferred::<PostSave<User>>(",
        ),
    ] {
        let output = added(options, hear.clone());
        assert!(output.contains(&format!("when:__hooks::When::{when},")));
        assert!(output.contains(&format!("handler:&__hooks::{handler}")));
    }
    let of_a_trait = quote!(
        fn hear(event: &PostSave<dyn Activity>) {}
    );
    let output = added(quote!(after_commit), of_a_trait);
    assert!(output.contains("handler:&__hooks::DeferredSender::<PostSave<dynActivity>>("));
}
