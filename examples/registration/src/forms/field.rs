use serde::Serialize;

/// What is asked in a form.
#[derive(Debug, Serialize)]
pub struct Field {
    /// In the form, and the `id` of the input.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// The `type` of the input.
    pub kind: &'static str,
    /// What browsers may fill in.
    pub autocomplete: &'static str,
    /// What to type, in a sentence.
    pub hint: &'static str,
    /// Whether it can be left out.
    pub optional: bool,
}

impl Field {
    pub(crate) const fn text(name: &'static str, label: &'static str) -> Self {
        Field {
            name,
            label,
            kind: "text",
            autocomplete: "off",
            hint: "",
            optional: false,
        }
    }

    pub(crate) const fn kind(self, kind: &'static str) -> Self {
        Field { kind, ..self }
    }

    pub(crate) const fn autocomplete(self, autocomplete: &'static str) -> Self {
        Field {
            autocomplete,
            ..self
        }
    }

    pub(crate) const fn hint(self, hint: &'static str) -> Self {
        Field { hint, ..self }
    }

    pub(crate) const fn optional(self) -> Self {
        Field {
            optional: true,
            ..self
        }
    }
}
