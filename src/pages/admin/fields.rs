//! Fields of the administrator's forms: what was typed or chosen, and what is wrong with it.

use crate::error::FieldError;

/// The plain form that filters a list.
#[derive(Default)]
pub(super) struct FilterForm {
    /// Its fields.
    pub(super) fields: Vec<Field>,
    /// What its fields suggest.
    pub(super) suggestions: Vec<Suggestions>,
}

/// A field of a form: to type in, or with choices.
pub(super) struct Field {
    /// Its name, and its id on the page.
    pub(super) name: &'static str,
    /// Its label.
    pub(super) label: &'static str,
    /// What was typed or chosen.
    pub(super) value: String,
    /// What can be chosen; empty for one to type in.
    pub(super) choices: Vec<Choice>,
    /// The id of the list of what it suggests; empty for none.
    pub(super) list: &'static str,
    /// An example of what can be typed; empty for none.
    pub(super) placeholder: &'static str,
    /// What is wrong with it: "must be …".
    pub(super) error: Option<String>,
}

/// A value to choose.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) words: String,
    pub(super) is_chosen: bool,
}

/// What a field suggests.
pub(super) struct Suggestions {
    pub(super) id: &'static str,
    pub(super) values: Vec<&'static str>,
}

/// What is wrong with a form.
pub(super) struct Problem {
    /// The label of the field or, where there is no such field, the name as it was given.
    pub(super) name: String,
    /// What is wrong with it.
    pub(super) message: String,
    /// The id of the field, if there is one.
    pub(super) field: Option<&'static str>,
}

impl Choice {
    pub(super) fn new(value: &str, words: &str, is_chosen: bool) -> Self {
        Self {
            value: value.to_owned(),
            words: words.to_owned(),
            is_chosen,
        }
    }
}

impl Field {
    /// Returns a field to type in.
    pub(super) fn text(name: &'static str, label: &'static str, value: String) -> Self {
        Self {
            name,
            label,
            value,
            choices: Vec::new(),
            list: "",
            placeholder: "",
            error: None,
        }
    }

    /// Returns a field with the words of each value to choose.
    pub(super) fn select<V: AsRef<str>, W: AsRef<str>>(
        name: &'static str,
        label: &'static str,
        value: String,
        choices: impl IntoIterator<Item = (V, W)>,
    ) -> Self {
        let choice = |(option, words): (V, W)| {
            Choice::new(option.as_ref(), words.as_ref(), option.as_ref() == value)
        };
        Self {
            choices: choices.into_iter().map(choice).collect(),
            ..Self::text(name, label, value)
        }
    }

    /// Returns the field with an example of what can be typed.
    pub(super) fn with_placeholder(self, placeholder: &'static str) -> Self {
        Self {
            placeholder,
            ..self
        }
    }

    /// Returns the field with the id of the list of what it suggests.
    pub(super) fn with_list(self, list: &'static str) -> Self {
        Self { list, ..self }
    }
}

impl FilterForm {
    /// Returns how many of its fields say something.
    pub(super) fn filled(&self) -> usize {
        let is_filled = |field: &&Field| !field.value.is_empty();
        self.fields.iter().filter(is_filled).count()
    }

    /// Returns whether something is wrong with one of its fields.
    pub(super) fn has_errors(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
    }
}

/// Marks the fields that are wrong. Returns all that is wrong, in the words of the form.
pub(super) fn mark<'a>(
    errors: &[FieldError],
    fields: impl IntoIterator<Item = &'a mut Field>,
) -> Vec<Problem> {
    let mut fields: Vec<&mut Field> = fields.into_iter().collect();
    let mut problem = |error: &FieldError| {
        let mut matching = fields.iter_mut();
        let field = matching.find(|field| field.name == error.field);
        let Some(field) = field else {
            return Problem::unnamed(error);
        };
        field.error = Some(error.message.clone());
        Problem {
            name: field.label.into(),
            message: error.message.clone(),
            field: Some(field.name),
        }
    };
    errors.iter().map(&mut problem).collect()
}

impl Problem {
    /// Returns what is wrong with something that is no field of the form.
    pub(super) fn unnamed(error: &FieldError) -> Self {
        Self {
            name: error.field.clone(),
            message: error.message.clone(),
            field: None,
        }
    }
}
