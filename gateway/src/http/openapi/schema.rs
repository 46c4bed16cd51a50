//! Messages and enumerations as JSON Schema, the way canonical protobuf JSON has them.
//!
//! What is required is so of requests. An answer may leave it out, as a briefing does the sources that it numbers apart,
//! so a message that is answered says nothing of it; the body of a request, which is one, says it beside.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};
use serde_json::{Map, Value, json};

use super::comments::Comments;

/// `REQUIRED` of `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;

/// The schemas that are referred to.
#[derive(Debug)]
pub(super) struct Schemas<'a> {
    comments: &'a Comments,
    made: BTreeMap<String, Value>,
    begun: BTreeSet<String>,
    answered: BTreeSet<String>,
}

/// A reference to a schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Whether a field must be given.
pub(super) fn is_required(field: &FieldDescriptor) -> bool {
    let pool = field.parent_message().parent_pool();
    let behavior = pool.get_extension_by_name("google.api.field_behavior");
    behavior.is_some_and(|behavior| {
        let options = field.options();
        let values = options.get_extension(&behavior);
        let mut values = values.as_list().unwrap_or_default().iter();
        values.any(|value| value.as_enum_number() == Some(REQUIRED))
    })
}

impl<'a> Schemas<'a> {
    /// Schemas of messages of which those that are inside of `answers` are answered.
    pub(super) fn new(
        comments: &'a Comments,
        answers: impl Iterator<Item = MessageDescriptor>,
    ) -> Schemas<'a> {
        Schemas {
            answered: inside(answers.collect()),
            comments,
            made: BTreeMap::new(),
            begun: BTreeSet::new(),
        }
    }

    pub(super) fn finish(self) -> Map<String, Value> {
        self.made.into_iter().collect()
    }

    /// A message by reference, or as it is where the schema of protobuf gives it a form of its own.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = well_known(message.full_name()) {
            return known;
        }
        let name = message.full_name();
        if self.begun.insert(name.to_owned()) {
            let schema = self.object(message);
            self.made.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    /// A message as a request has it, with all that is required of it.
    pub(super) fn body(&mut self, message: &MessageDescriptor) -> Value {
        let schema = self.message(message);
        let required = required(message);
        if required.is_empty() || !self.answered.contains(message.full_name()) {
            return schema;
        }
        json!({ "allOf": [schema, { "required": required }] })
    }

    fn object(&mut self, message: &MessageDescriptor) -> Value {
        let fields: Vec<FieldDescriptor> = message.fields().collect();
        let properties: Map<String, Value> = fields
            .iter()
            .map(|field| (field.json_name().to_owned(), self.described(field)))
            .collect();
        let mut schema = json!({
            "type": "object",
            "description": self.comments.of(&message.parent_file(), message.path()),
            "properties": properties,
            "additionalProperties": false,
        });
        let required = required(message);
        if !required.is_empty() && !self.answered.contains(message.full_name()) {
            schema["required"] = json!(required);
        }
        let choices = message.oneofs().filter(|choice| !choice.is_synthetic());
        let choices: Vec<Value> = choices.map(|choice| at_most_one(&choice)).collect();
        if !choices.is_empty() {
            schema["allOf"] = json!(choices);
        }
        schema
    }

    fn described(&mut self, field: &FieldDescriptor) -> Value {
        let mut schema = self.field(field);
        schema["description"] = json!(self.comment(field));
        schema
    }

    pub(super) fn comment(&self, field: &FieldDescriptor) -> &'a str {
        self.comments.of(&field.parent_file(), field.path())
    }

    /// The values of a field.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            let kind = field.kind();
            let entry = kind.as_message().expect("a map is a list of messages");
            let value = entry.map_entry_value_field();
            return json!({ "type": "object", "additionalProperties": self.one(&value) });
        }
        if field.is_list() {
            return json!({ "type": "array", "items": self.one(field) });
        }
        self.one(field)
    }

    fn one(&mut self, field: &FieldDescriptor) -> Value {
        match field.kind() {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({ "type": "integer", "format": "int32" })
            }
            Kind::Uint32 | Kind::Fixed32 => {
                json!({ "type": "integer", "format": "uint32", "minimum": 0 })
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$" })
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$" })
            }
            Kind::Float | Kind::Double => json!({ "type": "number" }),
            Kind::Enum(names) => self.enumeration(&names),
            Kind::Message(message) => self.message(&message),
        }
    }

    fn enumeration(&mut self, names: &EnumDescriptor) -> Value {
        let name = names.full_name();
        if self.begun.insert(name.to_owned()) {
            let schema = self.enumerated(names);
            self.made.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    fn enumerated(&self, names: &EnumDescriptor) -> Value {
        let file = names.parent_file();
        let mut description = self.comments.of(&file, names.path()).to_owned();
        for value in names.values() {
            let words = self.comments.of(&file, value.path());
            description.extend(["\n\n* `", value.name(), "`: ", words]);
        }
        let values = names.values().map(|value| value.name().to_owned());
        json!({
            "type": "string",
            "description": description,
            "enum": values.collect::<Vec<_>>(),
        })
    }
}

fn required(message: &MessageDescriptor) -> Vec<String> {
    let fields = message.fields().filter(is_required);
    fields.map(|field| field.json_name().to_owned()).collect()
}

/// The names of messages and of all that are inside of them.
fn inside(mut messages: Vec<MessageDescriptor>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    while let Some(message) = messages.pop() {
        if names.insert(message.full_name().to_owned()) {
            let kinds = message.fields().map(|field| field.kind());
            messages.extend(kinds.filter_map(|kind| kind.as_message().cloned()));
        }
    }
    names
}

/// Of the fields of a choice at most one is there.
fn at_most_one(choice: &OneofDescriptor) -> Value {
    let fields = choice.fields();
    let each: Vec<Value> = fields
        .map(|field| json!({ "required": [field.json_name()] }))
        .collect();
    let mut ways = each.clone();
    ways.push(json!({ "not": { "anyOf": each } }));
    json!({ "oneOf": ways })
}

fn well_known(name: &str) -> Option<Value> {
    Some(match name {
        "google.protobuf.Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "google.protobuf.Duration" => {
            json!({ "type": "string", "pattern": "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$" })
        }
        "google.protobuf.FieldMask" => json!({ "type": "string", "format": "field-mask" }),
        "google.protobuf.Empty" => json!({ "type": "object", "additionalProperties": false }),
        "google.protobuf.Struct" | "google.protobuf.Any" => {
            json!({ "type": "object", "additionalProperties": true })
        }
        "google.protobuf.Value" => json!({}),
        _ => return None,
    })
}
