use proc_macro2::TokenStream;
use quote::quote;

fn lines(attribute: TokenStream) -> usize {
    let output = super::hooks(quote! {
        #[diesel(table_name = employee_profiles)]
        #attribute
        pub struct EmployeeProfile {
            pub id: i32,
            #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
            pub employee_id: i32,
            pub date_of_birth: Option<NaiveDate>,
            pub team: Option<Team>,
            pub address: Option<String>,
        }
    });
    let file = syn::parse2(output).expect("the output is items");
    let printed = prettyplease::unparse(&file);
    println!("{printed}{} lines", printed.lines().count());
    printed.lines().count()
}

/// What `inventory::submit!` becomes, less its own lines, printed more widely than rustfmt does;
/// `scripts/expanded-lines` counts what rustc makes of all of it.
const REGISTRATION: usize = 1;

#[test]
fn a_model_of_five_columns_and_a_relation_is_at_most_120_lines() {
    assert!(lines(quote!(#[hooks(new = NewEmployeeProfile)])) + REGISTRATION <= 120);
}

#[test]
fn a_generated_new_adds_its_fields_its_default_and_its_debug() {
    assert!(lines(quote!()) + REGISTRATION <= 120 + 9 + 16 + 20);
}
