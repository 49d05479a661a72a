//! The grammar of `#[hooks(..)]`. The fields of these types are the keys: darling reads them, rejects
//! what is repeated, and names them when it meets another.

use darling::ast::NestedMeta;
use darling::util::{Flag, PathList};
use darling::{Error, FromMeta, Result};
use proc_macro2::{Span, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse as _, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Meta, Path, Token};

use crate::errors::Errors;

mod new;

pub(crate) use self::new::NewAttr;

/// What may stand on the struct.
#[derive(Debug, Default, FromMeta)]
pub(crate) struct StructAttr {
    #[darling(default, with = new::parse)]
    pub(crate) new: Option<NewAttr>,
    #[darling(default, with = parse_connection)]
    pub(crate) connection: Option<PathList>,
    #[darling(default, with = parse_extends)]
    pub(crate) extends: Option<Paths>,
    #[darling(default, rename = "crate", with = parse_facade)]
    pub(crate) facade: Option<Path>,
    #[darling(multiple)]
    pub(crate) one_to_one: Vec<RelationAttr>,
    #[darling(multiple)]
    pub(crate) foreign_key: Vec<RelationAttr>,
}

/// `key(One, Other)`
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) key: Ident,
    pub(crate) paths: Vec<Path>,
}

/// What may stand on a field.
#[derive(Debug, Default, FromMeta)]
pub(crate) struct FieldAttr {
    pub(crate) one_to_one: Option<RelationAttr>,
    pub(crate) foreign_key: Option<RelationAttr>,
    #[darling(default, with = parse_word)]
    pub(crate) generated: Flag,
    #[darling(default, with = parse_word)]
    pub(crate) assigned: Flag,
    #[darling(default, with = parse_word)]
    pub(crate) auto_now_add: Flag,
    #[darling(default, with = parse_word)]
    pub(crate) auto_now: Flag,
}

/// `one_to_one(Parent, ..)`, `foreign_key(Parent, ..)`
#[derive(Debug)]
pub(crate) struct RelationAttr {
    /// `one_to_one`, `foreign_key`
    pub(crate) key: Ident,
    pub(crate) parent: Path,
    pub(crate) options: RelationOptions,
    /// `on_delete` stands there with another value than those that there are.
    pub(crate) on_delete_is_wrong: bool,
    /// `columns` stands there, and is not a list of names.
    pub(crate) columns_are_wrong: bool,
    /// What is wrong with its options: the relation itself is there.
    pub(crate) errors: Errors,
}

/// What may stand in a relation after the parent.
#[derive(Debug, Default, FromMeta)]
pub(crate) struct RelationOptions {
    #[darling(default, with = parse_on_delete)]
    pub(crate) on_delete: Option<OnDelete>,
    #[darling(default, with = parse_related_name)]
    pub(crate) related_name: Option<Ident>,
    #[darling(default, with = parse_related_trait)]
    pub(crate) related_trait: Option<Ident>,
    #[darling(default, with = parse_accessor)]
    pub(crate) accessor: Option<Ident>,
    pub(crate) auto_create: Option<AutoCreate>,
    #[darling(default, with = parse_to)]
    pub(crate) to: Option<Path>,
    #[darling(default, rename = "default", with = parse_default)]
    pub(crate) by_default: Option<Path>,
    #[darling(default, with = parse_columns)]
    pub(crate) columns: Option<Columns>,
}

/// `columns(tenant_id, user_id)`
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) key: Ident,
    pub(crate) fields: Vec<Ident>,
}

/// What becomes of a child, and where that is written.
#[derive(Debug, Clone)]
pub(crate) struct OnDelete {
    pub(crate) name: Ident,
    /// The function of `Set(function)`.
    pub(crate) set: Option<Path>,
}

impl OnDelete {
    const ALL: [&str; 8] = [
        "Cascade",
        "Protect",
        "Restrict",
        "SetNull",
        "SetDefault",
        "Set",
        "DoNothing",
        "Database",
    ];

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The one that SQL writes like this.
    fn meant_by(name: &Ident) -> Option<&'static str> {
        let name = name.to_string().replace('_', "");
        let meant = |it: &&&str| it.eq_ignore_ascii_case(&name);
        Self::ALL.iter().find(meant).copied()
    }

    /// What there is, for messages.
    pub(crate) fn choices() -> String {
        let [first @ .., last] = Self::ALL.map(|name| match name {
            "Set" => String::from("`Set(function)`"),
            name => format!("`{name}`"),
        });
        format!("{} or {last}", first.join(", "))
    }
}

impl ToTokens for OnDelete {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        Ident::new(&self.name.to_string(), Span::call_site()).to_tokens(tokens);
    }
}

/// `auto_create`, or `auto_create = path`
#[derive(Debug, Clone)]
pub(crate) enum AutoCreate {
    Default(Span),
    By(Path),
}

impl AutoCreate {
    pub(crate) fn span(&self) -> Span {
        match self {
            AutoCreate::Default(span) => *span,
            AutoCreate::By(path) => path.span(),
        }
    }
}

impl FromMeta for AutoCreate {
    fn from_meta(meta: &Meta) -> Result<Self> {
        match meta {
            Meta::Path(word) => Ok(AutoCreate::Default(word.span())),
            _ => Ok(AutoCreate::By(value(
                meta,
                "auto_create` or `auto_create = make_profile",
            )?)),
        }
    }
}

impl FromMeta for RelationAttr {
    fn from_meta(meta: &Meta) -> Result<Self> {
        let key = meta.path().require_ident()?.clone();
        let form =
            || Error::custom(format!("expected `{key}(Parent, on_delete = ..)`")).with_span(&key);
        let Meta::List(list) = meta else {
            return Err(form());
        };
        let mut errors = Errors::default();
        let mut items = items(list.parse_args_with(rest), &mut errors).into_iter();
        let Some(NestedMeta::Meta(Meta::Path(parent))) = items.next() else {
            return Err(form());
        };
        let parent = without_keywords(&parent)?;
        let items: Vec<_> = items.collect();
        let says_on_delete = items.iter().any(|item| is("on_delete", item));
        let says_columns = items.iter().any(|item| is("columns", item));
        let options: RelationOptions = read(items, &mut errors);
        Ok(RelationAttr {
            key,
            parent,
            on_delete_is_wrong: says_on_delete && options.on_delete.is_none(),
            columns_are_wrong: says_columns && options.columns.is_none(),
            options,
            errors,
        })
    }
}

/// Reads the `#[hooks(..)]` among these attributes.
pub(crate) fn hooks<T: FromMeta + Default>(attrs: &[Attribute], errors: &mut Errors) -> T {
    named("hooks", attrs, errors)
}

/// Reads the attributes of this name.
pub(crate) fn named<T: FromMeta + Default>(
    name: &str,
    attrs: &[Attribute],
    errors: &mut Errors,
) -> T {
    let mut all = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        if let Some(list) = errors.ok(attr.meta.require_list()) {
            all.extend(items(list.parse_args_with(rest), errors));
        }
    }
    read(all, errors)
}

/// Reads items one after the other, so that a wrong one costs only itself.
pub(crate) fn read<T: FromMeta + Default>(
    items: impl IntoIterator<Item = NestedMeta>,
    errors: &mut Errors,
) -> T {
    let mut value = T::default();
    let mut good = Vec::new();
    for item in items {
        if let NestedMeta::Lit(literal) = &item {
            errors.at(literal, "expected a name, not a literal");
            continue;
        }
        good.push(item);
        match T::from_list(&good) {
            Ok(it) => value = it,
            Err(error) => {
                errors.push(error);
                good.pop();
            }
        }
    }
    value
}

/// The items that can be parsed.
pub(crate) fn items(
    parsed: syn::Result<Vec<syn::Result<NestedMeta>>>,
    errors: &mut Errors,
) -> Vec<NestedMeta> {
    let parsed = errors.ok(parsed).unwrap_or_default();
    parsed
        .into_iter()
        .filter_map(|item| errors.ok(item))
        .collect()
}

/// Parses what stands between commas, going on after the next comma where something is wrong.
pub(crate) fn rest(input: ParseStream<'_>) -> syn::Result<Vec<syn::Result<NestedMeta>>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let item = new::item(input);
        let wrong = item.is_err();
        items.push(item);
        if !wrong && !input.is_empty() && !input.peek(Token![,]) {
            items.push(Err(input.error("expected `,`")));
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<TokenTree>()?;
        }
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(items)
}

/// Parses the tokens of an attribute that has nothing around them.
pub(crate) fn arguments(tokens: proc_macro2::TokenStream, errors: &mut Errors) -> Vec<NestedMeta> {
    items(rest.parse2(tokens), errors)
}

fn parse_extends(meta: &Meta) -> Result<Option<Paths>> {
    Paths::parse(meta, "extends(Activity, ..)", Path::parse).map(Some)
}

pub(crate) fn parse_facade(meta: &Meta) -> Result<Option<Path>> {
    value(meta, "crate = path::to::diesel_hooks").map(Some)
}

fn parse_related_name(meta: &Meta) -> Result<Option<Ident>> {
    value(meta, "related_name = profile").map(Some)
}

fn parse_accessor(meta: &Meta) -> Result<Option<Ident>> {
    value(meta, "accessor = employee").map(Some)
}

fn parse_related_trait(meta: &Meta) -> Result<Option<Ident>> {
    value(meta, "related_trait = HasProfile").map(Some)
}

fn parse_to(meta: &Meta) -> Result<Option<Path>> {
    value(meta, "to = users::email").map(Some)
}

fn parse_default(meta: &Meta) -> Result<Option<Path>> {
    value(meta, "default = first_team").map(Some)
}

fn parse_columns(meta: &Meta) -> Result<Option<Columns>> {
    Ok(Some(Columns {
        key: meta.path().require_ident()?.clone(),
        fields: list(meta, "columns(tenant_id, user_id)", Ident::parse)?,
    }))
}

fn parse_connection(meta: &Meta) -> Result<Option<PathList>> {
    match PathList::from_meta(meta) {
        Ok(paths) if !paths.is_empty() => {
            let paths: Result<Vec<_>> = paths.iter().map(without_keywords).collect();
            Ok(Some(paths?.into()))
        }
        _ => Err(expected(meta, "connection(SqliteConnection)")),
    }
}

fn is(option: &str, item: &NestedMeta) -> bool {
    matches!(item, NestedMeta::Meta(meta) if meta.path().is_ident(option))
}

fn parse_word(meta: &Meta) -> Result<Flag> {
    let word = || {
        meta.path()
            .require_ident()
            .map_or_else(|_| String::new(), Ident::to_string)
    };
    Flag::from_meta(meta).map_err(|_| expected(meta, &word()))
}

fn parse_on_delete(meta: &Meta) -> Result<Option<OnDelete>> {
    let form = || expected(meta, "on_delete = Cascade");
    let Meta::NameValue(it) = meta else {
        return Err(form());
    };
    let (name, functions) = match &it.value {
        Expr::Path(name) => (&name.path, Vec::new()),
        Expr::Call(call) => match &*call.func {
            Expr::Path(name) => (&name.path, call.args.iter().collect()),
            _ => return Err(form()),
        },
        _ => return Err(form()),
    };
    let name = name.get_ident().ok_or_else(form)?.clone();
    if !OnDelete::ALL.iter().any(|it| name == it) {
        let choices = OnDelete::choices();
        let hint = OnDelete::meant_by(&name)
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        let message = format!("expected `on_delete = ..` with {choices}{hint}");
        return Err(Error::custom(message).with_span(&name));
    }
    match (name == "Set", &*functions) {
        (true, [Expr::Path(function)]) => {
            let set = Some(function.path.clone());
            Ok(Some(OnDelete { name, set }))
        }
        (true, _) => Err(Error::custom(
            "`Set` needs the function that says what the row refers to: `on_delete = Set(deleted_user)`",
        )
        .with_span(&name)),
        (false, _) if matches!(it.value, Expr::Call(_)) => {
            Err(Error::custom(format!("`{name}` takes no function; only `Set` does")).with_span(&name))
        }
        _ => Ok(Some(OnDelete { name, set: None })),
    }
}

impl Paths {
    pub(crate) fn parse(meta: &Meta, example: &str, path: Parse<Path>) -> Result<Self> {
        let key = meta.path().require_ident()?.clone();
        let paths = list(meta, example, path)?;
        Ok(Paths { key, paths })
    }
}

type Parse<T> = fn(ParseStream<'_>) -> syn::Result<T>;

/// What stands in the parentheses after a key, and it is something.
pub(crate) fn list<T>(meta: &Meta, example: &str, item: Parse<T>) -> Result<Vec<T>> {
    let Meta::List(list) = meta else {
        return Err(expected(meta, example));
    };
    let items =
        |input: ParseStream<'_>| Punctuated::<T, Token![,]>::parse_terminated_with(input, item);
    match list.parse_args_with(items) {
        Ok(items) if items.is_empty() => Err(expected(meta, example)),
        Ok(items) => Ok(items.into_iter().collect()),
        Err(error) => Err(wrong(example).with_span(&error.span())),
    }
}

/// darling takes any word for a path.
fn without_keywords(path: &Path) -> Result<Path> {
    syn::parse2(path.to_token_stream()).map_err(|error| Error::from(error).with_span(path))
}

/// A value that is written as in the example.
pub(crate) fn value<T: FromMeta>(meta: &Meta, example: &str) -> Result<T> {
    let bare = match meta {
        // darling would take a string for anything.
        Meta::NameValue(it) => !matches!(&it.value, Expr::Lit(_)),
        _ => false,
    };
    match T::from_meta(meta) {
        Ok(value) if bare => Ok(value),
        _ => Err(expected(meta, example)),
    }
}

pub(crate) fn expected(meta: &Meta, example: &str) -> Error {
    match meta {
        Meta::NameValue(it) => wrong(example).with_span(&it.value),
        _ => wrong(example).with_span(meta.path()),
    }
}

/// This is what should stand there.
pub(crate) fn wrong(example: &str) -> Error {
    Error::custom(format!("expected `{example}`"))
}
