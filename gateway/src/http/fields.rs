//! Fields of a message by their paths: `window.start`, `updateMask`.

use std::collections::HashSet;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

/// No path of the schema is as deep.
const MAX_DEPTH: usize = 16;

/// The fields along a path, each by its name or its JSON name; all but the last are single messages.
pub(super) fn chain(message: &MessageDescriptor, path: &str) -> Option<Vec<FieldDescriptor>> {
    let mut chain: Vec<FieldDescriptor> = Vec::new();
    for name in path.split('.') {
        let parent = match chain.last() {
            None => message.clone(),
            Some(field) if field.is_list() || field.is_map() => return None,
            Some(field) => field.kind().as_message()?.clone(),
        };
        let by_name = parent.get_field_by_name(name);
        chain.push(by_name.or_else(|| parent.get_field_by_json_name(name))?);
        if chain.len() > MAX_DEPTH {
            return None;
        }
    }
    Some(chain)
}

/// The path of a chain, by the names that the schema has.
pub(super) fn path(chain: &[FieldDescriptor]) -> String {
    let names: Vec<&str> = chain.iter().map(FieldDescriptor::name).collect();
    names.join(".")
}

/// A message that is put together field by field, none of them twice.
#[derive(Debug)]
pub(super) struct Filling {
    message: DynamicMessage,
    filled: HashSet<Vec<u32>>,
}

/// Why a field is not filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FillError {
    #[error("is given twice")]
    Twice,
    #[error("is one of several fields of which only one may be given")]
    OneOf,
}

impl Filling {
    pub(super) fn new(message: DynamicMessage) -> Filling {
        Filling {
            message,
            filled: HashSet::new(),
        }
    }

    /// Takes what a field may not be given a second time from.
    pub(super) fn reserve(&mut self, chain: &[FieldDescriptor]) {
        self.filled.insert(numbers(chain));
    }

    /// Sets the field at the end of a chain, or adds to it.
    pub(super) fn put(&mut self, chain: &[FieldDescriptor], value: Value) -> Result<(), FillError> {
        let Some((last, before)) = chain.split_last() else {
            return Ok(());
        };
        let numbers = numbers(chain);
        if self.is_filled(&numbers, last.is_list()) {
            return Err(FillError::Twice);
        }
        self.filled.insert(numbers);
        let mut message = &mut self.message;
        for field in before {
            message = enter(message, field)?;
        }
        if is_taken(message, last) {
            return Err(FillError::OneOf);
        }
        if last.is_list() {
            let values = message.get_field_mut(last).as_list_mut();
            values.expect("a repeated field is a list").push(value);
        } else {
            message.set_field(last, value);
        }
        Ok(())
    }

    /// Whether a field, one that it is a part of or a part of it was given. A repeated one may be given again.
    fn is_filled(&self, path: &[u32], again: bool) -> bool {
        let mut filled = self.filled.iter().filter(|known| !again || *known != path);
        filled.any(|known| known.starts_with(path) || path.starts_with(known))
    }

    /// Overwrites a field, whatever it was.
    pub(super) fn overwrite(&mut self, chain: &[FieldDescriptor], value: Value) {
        if let Some((last, before)) = chain.split_last() {
            let mut message = &mut self.message;
            for field in before {
                let inner = message.get_field_mut(field).as_message_mut();
                message = inner.expect("a chain leads through messages");
            }
            message.set_field(last, value);
        }
    }

    pub(super) fn finish(self) -> DynamicMessage {
        self.message
    }
}

fn numbers(chain: &[FieldDescriptor]) -> Vec<u32> {
    chain.iter().map(FieldDescriptor::number).collect()
}

fn enter<'a>(
    message: &'a mut DynamicMessage,
    field: &FieldDescriptor,
) -> Result<&'a mut DynamicMessage, FillError> {
    if is_taken(message, field) {
        return Err(FillError::OneOf);
    }
    let inner = message.get_field_mut(field).as_message_mut();
    Ok(inner.expect("a chain leads through messages"))
}

/// Whether another field of the same choice is set.
fn is_taken(message: &DynamicMessage, field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|choice| {
        let mut others = choice.fields().filter(|other| other != field);
        others.any(|other| message.has_field(&other))
    })
}
