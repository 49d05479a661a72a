//! The parsed input, with every default resolved.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, LitBool, Member, Path, Type, Visibility};

use crate::attr::{self, AutoCreate, Columns, NewAttr, OnDelete, RelationAttr};
use crate::diesel_attr;
use crate::errors::Errors;
use crate::naming;
use crate::paths::Runtime;

pub(crate) struct Model<'a> {
    pub(crate) runtime: Runtime,
    pub(crate) name: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) table: Path,
    pub(crate) new: New,
    pub(crate) stored_on: StoredOn,
    /// The traits that it sends as.
    pub(crate) extends: Vec<Path>,
    pub(crate) treat_none_as_default_value: Option<LitBool>,
    /// The names of the key's columns, where the user gave them or else after the struct.
    pub(crate) key_names: Vec<Ident>,
    pub(crate) key_is_inferred: bool,
    pub(crate) fields: Vec<Field<'a>>,
    /// The relations that are declared on the struct, by several fields.
    pub(crate) of_several: Vec<Relation>,
}

/// What a row is created from.
pub(crate) enum New {
    Itself,
    Given(Path),
    Generated(Ident),
}

/// What Diesel calls its backends.
const BACKENDS: [&str; 3] = ["Sqlite", "Pg", "Mysql"];

/// On which connections the model has hooks.
pub(crate) enum StoredOn {
    EveryBackend,
    /// Those of Diesel's backends that it names, in the order of [`BACKENDS`].
    Backends(Vec<&'static str>),
    /// None of those that there are.
    NoBackend,
    Connections(Vec<Path>),
}

pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) storage: Storage,
    pub(crate) serialize_as: Option<Type>,
    pub(crate) treat_none_as_default_value: Option<LitBool>,
    pub(crate) skip_insertion: bool,
    pub(crate) skip_update: bool,
    pub(crate) is_key: bool,
    pub(crate) generated: Option<Span>,
    pub(crate) assigned: Option<Span>,
    pub(crate) auto_now_add: Option<Span>,
    pub(crate) auto_now: Option<Span>,
    pub(crate) relation: Option<Relation>,
}

/// Fields that hold a relation together, mostly one.
pub(crate) type Held<'m, 'a> = Vec<&'m Field<'a>>;

/// Where a field's value lives.
pub(crate) enum Storage {
    Column(Ident),
    /// Several columns, which the field's type knows.
    Embedded,
    /// An expression that only `Selectable` knows: read, never written.
    Selected,
}

pub(crate) struct Relation {
    pub(crate) key: Ident,
    pub(crate) parent: Path,
    pub(crate) on_delete: Option<OnDelete>,
    /// It was given, but is none that there is.
    pub(crate) on_delete_is_wrong: bool,
    /// The same of its columns.
    pub(crate) columns_are_wrong: bool,
    pub(crate) related_name: Option<Ident>,
    pub(crate) related_trait: Option<Ident>,
    pub(crate) accessor: Option<Ident>,
    pub(crate) auto_create: Option<AutoCreate>,
    pub(crate) to: Option<Path>,
    pub(crate) by_default: Option<Path>,
    pub(crate) columns: Option<Columns>,
}

impl<'a> Model<'a> {
    /// Reads what can be read; nothing can be, where the input is no struct that a model can be.
    pub(crate) fn read(item: &'a DeriveInput, errors: &mut Errors) -> Option<Self> {
        let syn_fields = fields_of(item, errors)?;
        let hooks: attr::StructAttr = attr::hooks(&item.attrs, errors);
        let diesel = diesel_attr::StructAttr::read(&item.attrs, errors);

        let name = &item.ident;
        let key_is_inferred = diesel.primary_key.is_none();
        let key_names = diesel
            .primary_key
            .unwrap_or_else(|| vec![Ident::new("id", name.span())]);
        let fields = syn_fields
            .into_iter()
            .map(|(member, field)| Field::read(member, field, &key_names, name, errors))
            .collect::<Vec<_>>();
        Some(Model {
            runtime: Runtime::new(hooks.facade.as_ref()),
            name,
            vis: &item.vis,
            table: diesel
                .table_name
                .unwrap_or_else(|| naming::table_of(name).into()),
            new: New::read(hooks.new, name, errors),
            stored_on: stored_on(hooks.connection.as_deref(), diesel.check_for_backend),
            extends: hooks.extends.map(|it| it.paths).unwrap_or_default(),
            treat_none_as_default_value: diesel.treat_none_as_default_value,
            key_names,
            key_is_inferred,
            fields: fields.into_iter().collect::<Option<_>>()?,
            of_several: hooks
                .one_to_one
                .into_iter()
                .chain(hooks.foreign_key)
                .map(|it| Relation::read(it, name, errors))
                .collect(),
        })
    }

    /// The fields of the key, in the order of its columns.
    pub(crate) fn key(&self) -> Vec<&Field<'a>> {
        let of = |name| self.fields.iter().find(move |field| field.is_column(name));
        self.key_names.iter().filter_map(of).collect()
    }

    /// The fields that an update may write.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields
            .iter()
            .filter(|field| !field.is_key && field.is_written())
    }

    /// The fields, apart from the key, that no update writes.
    pub(crate) fn unwritten(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields
            .iter()
            .filter(|field| !field.is_key && !field.is_written())
    }

    /// The fields that a generated insertable has.
    pub(crate) fn inserted(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| self.inserts(field))
    }

    /// What a field is called in what a row is created from; a generated one need not have it.
    pub(crate) fn new_member(&self, field: &Field<'_>) -> Option<Member> {
        match (&self.new, &field.member) {
            (New::Generated(_), Member::Unnamed(_)) => {
                let place = self.inserted().position(|it| it.member == field.member);
                place.map(Member::from)
            }
            (New::Generated(_), Member::Named(_)) if !self.inserts(field) => None,
            _ => Some(field.member.clone()),
        }
    }

    /// The fields of the key, and what they are called in what a row is created from; nothing if the database
    /// makes the key, or if nobody says that a struct of the user's own has it. Of such a struct all columns would be
    /// written, and with them when the row was created.
    pub(crate) fn key_in_new(&self) -> Option<Vec<(&Field<'a>, Member)>> {
        let keeps_its_creation = self.fields.iter().any(|it| it.auto_now_add.is_some());
        let in_new = |field: &'_ Field<'a>| match &self.new {
            New::Given(_) => field.assigned.is_some() && !keeps_its_creation,
            New::Generated(_) => self.inserts(field),
            New::Itself => field.generated.is_none() && !field.skip_insertion,
        };
        let key = self.key().into_iter();
        key.map(|field| {
            let member = self.new_member(field).filter(|_| in_new(field))?;
            Some((field, member))
        })
        .collect()
    }

    pub(crate) fn inserts(&self, field: &Field<'_>) -> bool {
        let selected = matches!(field.storage, Storage::Selected);
        let left_out = matches!(self.new, New::Generated(_)) && field.is_stamped();
        !(self.is_generated(field) || field.skip_insertion || selected || left_out)
    }

    /// The fields that say when the row was created or last written.
    pub(crate) fn stamped(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.is_stamped())
    }

    /// Whether what a row is created from holds this field's value.
    pub(crate) fn inserts_value_of(&self, field: &Field<'_>) -> bool {
        match self.new {
            New::Itself => !field.skip_insertion,
            New::Generated(_) | New::Given(_) => self.inserts(field),
        }
    }

    fn is_generated(&self, field: &Field<'_>) -> bool {
        let only_key = field.is_key && self.key_names.len() == 1;
        field.generated.is_some()
            || (only_key && field.relation.is_none() && field.assigned.is_none())
    }

    /// Each relation with the fields that hold it; fields that there are not are reported.
    pub(crate) fn relations(&self) -> impl Iterator<Item = (Held<'_, 'a>, &Relation)> {
        let of_one = self
            .fields
            .iter()
            .filter_map(|field| Some((vec![field], field.relation.as_ref()?)));
        let of_several = self.of_several.iter().map(|relation| {
            let names = relation.columns.iter().flat_map(|columns| &columns.fields);
            let fields = names.filter_map(|name| self.field(name)).collect();
            (fields, relation)
        });
        of_one.chain(of_several)
    }

    /// Those on columns; the others are reported.
    pub(crate) fn sound_relations(&self) -> impl Iterator<Item = (Held<'_, 'a>, &Relation)> {
        let is_column = |field: &&Field<'_>| matches!(field.storage, Storage::Column(_));
        self.relations()
            .filter(move |(fields, _)| !fields.is_empty() && fields.iter().all(is_column))
            .filter(|(fields, relation)| fields.len() == 1 || relation.to.is_none())
    }

    pub(crate) fn field(&self, name: &Ident) -> Option<&Field<'a>> {
        self.fields
            .iter()
            .find(|field| matches!(&field.member, Member::Named(it) if it.unraw() == name.unraw()))
    }

    pub(crate) fn is_tuple(&self) -> bool {
        matches!(self.fields.first(), Some(field) if matches!(field.member, Member::Unnamed(_)))
    }
}

impl New {
    fn read(attr: Option<NewAttr>, model: &Ident, errors: &mut Errors) -> Self {
        let Some(attr) = attr else {
            return New::Generated(naming::new_of(model));
        };
        errors.extend(attr.errors);
        match attr.path.is_ident("Self") {
            true => New::Itself,
            false => New::Given(attr.path),
        }
    }
}

impl<'a> Field<'a> {
    fn read(
        member: Member,
        field: &'a syn::Field,
        key_names: &[Ident],
        model: &Ident,
        errors: &mut Errors,
    ) -> Option<Self> {
        let hooks: attr::FieldAttr = attr::hooks(&field.attrs, errors);
        let diesel = diesel_attr::FieldAttr::read(&field.attrs, errors);
        let storage = match (diesel.column_name, &member) {
            _ if diesel.embed => Storage::Embedded,
            (Some(column), _) => Storage::of(column, diesel.select_expression, key_names),
            (None, Member::Named(name)) => {
                Storage::of(name.clone(), diesel.select_expression, key_names)
            }
            (None, Member::Unnamed(_)) => {
                errors.at(
                    field,
                    "all fields of tuple structs must be annotated with `#[diesel(column_name)]`",
                );
                return None;
            }
        };
        if let (Some(_), Some(second)) = (&hooks.one_to_one, &hooks.foreign_key) {
            errors.at(
                &second.key,
                "a field holds one relation; this is its second",
            );
        }
        let is_key = matches!(&storage, Storage::Column(column) if is_one_of(column, key_names));
        let span = |flag: darling::util::Flag| flag.is_present().then(|| flag.span());
        Some(Field {
            member,
            ty: &field.ty,
            docs: field
                .attrs
                .iter()
                .filter(|attr| attr.path().is_ident("doc"))
                .collect(),
            storage,
            serialize_as: diesel.serialize_as,
            treat_none_as_default_value: diesel.treat_none_as_default_value,
            skip_insertion: diesel.skip_insertion,
            skip_update: diesel.skip_update,
            is_key,
            generated: span(hooks.generated),
            assigned: span(hooks.assigned),
            auto_now_add: span(hooks.auto_now_add),
            auto_now: span(hooks.auto_now),
            relation: hooks
                .one_to_one
                .or(hooks.foreign_key)
                .map(|it| Relation::read(it, model, errors)),
        })
    }

    pub(crate) fn is_stamped(&self) -> bool {
        self.auto_now_add.is_some() || self.auto_now.is_some()
    }

    fn is_written(&self) -> bool {
        let selected = matches!(self.storage, Storage::Selected);
        !(self.generated.is_some() || self.skip_update || selected)
    }

    pub(crate) fn is_column(&self, name: &Ident) -> bool {
        matches!(&self.storage, Storage::Column(column) if column.unraw() == name.unraw())
    }

    pub(crate) fn span(&self) -> Span {
        match &self.member {
            Member::Named(name) => name.span(),
            Member::Unnamed(_) => self.ty.span(),
        }
    }
}

impl Storage {
    /// The key has a column whatever is selected for it.
    fn of(column: Ident, select_expression: bool, key_names: &[Ident]) -> Self {
        match select_expression && !is_one_of(&column, key_names) {
            true => Storage::Selected,
            false => Storage::Column(column),
        }
    }
}

impl Relation {
    fn read(attr: RelationAttr, model: &Ident, errors: &mut Errors) -> Self {
        let on_delete_is_wrong = attr.on_delete_is_wrong;
        errors.extend(attr.errors);
        let parent = match attr.parent.is_ident("Self") {
            true => Ident::new(&model.to_string(), attr.parent.span()).into(),
            false => attr.parent,
        };
        Relation {
            key: attr.key,
            parent,
            on_delete: attr.options.on_delete,
            on_delete_is_wrong,
            columns_are_wrong: attr.columns_are_wrong,
            related_name: attr.options.related_name,
            related_trait: attr.options.related_trait,
            accessor: attr.options.accessor,
            auto_create: attr.options.auto_create,
            to: attr.options.to,
            by_default: attr.options.by_default,
            columns: attr.options.columns,
        }
    }

    pub(crate) fn is_one_to_one(&self) -> bool {
        self.key == "one_to_one"
    }

    /// What reads the parent.
    pub(crate) fn accessor(&self, fields: &[&Field<'_>]) -> Option<Ident> {
        let inferred = || match fields {
            [field] if !field.is_key => naming::accessor_of(&field.member),
            _ => None,
        };
        self.accessor.clone().or_else(inferred)
    }
}

fn is_one_of(name: &Ident, names: &[Ident]) -> bool {
    names.iter().any(|it| it.unraw() == name.unraw())
}

fn stored_on(connections: Option<&Vec<Path>>, backends: Option<Vec<Path>>) -> StoredOn {
    let backends = match (connections, backends) {
        (Some(connections), _) => return StoredOn::Connections(connections.clone()),
        (None, None) => return StoredOn::EveryBackend,
        (None, Some(backends)) => backends,
    };
    let named = |name: &&str| {
        let mut last = backends.iter().filter_map(|path| path.segments.last());
        last.any(|it| it.ident == *name)
    };
    let named: Vec<_> = BACKENDS.into_iter().filter(named).collect();
    match named.len() {
        0 => StoredOn::NoBackend,
        3 => StoredOn::EveryBackend,
        _ => StoredOn::Backends(named),
    }
}

fn fields_of<'a>(
    item: &'a DeriveInput,
    errors: &mut Errors,
) -> Option<Vec<(Member, &'a syn::Field)>> {
    let keyword = match &item.data {
        Data::Struct(data) => {
            owns_its_data(item, errors)?;
            if matches!(data.fields, Fields::Unit) {
                errors.at(&item.ident, "a model has a field for each column");
                return None;
            }
            return Some(data.fields.members().zip(&data.fields).collect());
        }
        Data::Enum(data) => data.enum_token.span,
        Data::Union(data) => data.union_token.span,
    };
    errors.push(syn::Error::new(keyword, "a model is a struct"));
    None
}

fn owns_its_data(item: &DeriveInput, errors: &mut Errors) -> Option<()> {
    if item.generics.params.is_empty() {
        return Some(());
    }
    errors.at(
        &item.generics,
        format!(
            "a model owns its data: `{}` cannot have lifetimes or other generics, because receivers \
             and after-commit work may keep a row",
            item.ident.unraw()
        ),
    );
    None
}
