use quote::quote;

fn printed(input: proc_macro2::TokenStream) -> String {
    let file = syn::parse2(super::hooks(input)).expect("the output is items");
    prettyplease::unparse(&file)
}

#[test]
fn a_model_of_five_columns_and_a_relation_is_at_most_120_lines() {
    let output = printed(quote! {
        #[diesel(table_name = employee_profiles)]
        pub struct EmployeeProfile {
            pub id: i32,
            #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
            pub employee_id: i32,
            pub date_of_birth: Option<NaiveDate>,
            pub team: Option<Team>,
            pub address: Option<String>,
        }
    });
    println!("{output}{} lines", output.lines().count());
    assert!(output.lines().count() <= 120);
}
