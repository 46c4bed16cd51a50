//! Values of fields as texts, the way query parameters have them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, Value};

/// Messages that JSON has as one text.
const TEXTS: [&str; 3] = [
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    MASK,
];
const MASK: &str = "google.protobuf.FieldMask";

/// Why a text is no value of a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    #[error("is no {0}")]
    Not(&'static str),
    #[error("is none of the names or numbers of {0}")]
    Enum(String),
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("is a message: name one of its fields, as in `field.part`")]
    Message,
}

/// Whether a field can be given as one text, or as several where it is repeated.
pub(super) fn is_text(field: &FieldDescriptor) -> bool {
    let kind = field.kind();
    let message = kind.as_message();
    message.is_none_or(|message| !field.is_map() && TEXTS.contains(&message.full_name()))
}

/// One value of a field.
pub(super) fn parse(field: &FieldDescriptor, text: &str) -> Result<Value, TextError> {
    if field.is_map() {
        return Err(TextError::Message);
    }
    match field.kind() {
        Kind::Bool => number(text, "`true` or `false`").map(Value::Bool),
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bytes => bytes(text),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            number(text, "integer of 32 bits").map(Value::I32)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            number(text, "integer of 64 bits").map(Value::I64)
        }
        Kind::Uint32 | Kind::Fixed32 => {
            number(text, "integer of 32 bits without a sign").map(Value::U32)
        }
        Kind::Uint64 | Kind::Fixed64 => {
            number(text, "integer of 64 bits without a sign").map(Value::U64)
        }
        Kind::Float => number(text, "number").map(Value::F32),
        Kind::Double => number(text, "number").map(Value::F64),
        Kind::Enum(names) => enumerated(&names, text),
        Kind::Message(message) if message.full_name() == MASK => {
            let json = serde_json::Value::String(json_mask(text));
            from_json(message, json)
        }
        Kind::Message(message) if TEXTS.contains(&message.full_name()) => {
            from_json(message, serde_json::Value::String(text.to_owned()))
        }
        Kind::Message(_) => Err(TextError::Message),
    }
}

fn number<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, TextError> {
    text.parse().map_err(|_| TextError::Not(what))
}

/// Base64 in either alphabet, with or without padding.
fn bytes(text: &str) -> Result<Value, TextError> {
    let plain = text
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/");
    let bytes = STANDARD_NO_PAD.decode(plain);
    let bytes = bytes.map_err(|_| TextError::Not("base64"))?;
    Ok(Value::Bytes(bytes.into()))
}

fn enumerated(names: &EnumDescriptor, text: &str) -> Result<Value, TextError> {
    let by_name = names.get_value_by_name(text).map(|value| value.number());
    let number = by_name.or_else(|| text.parse().ok());
    let unknown = || TextError::Enum(names.name().to_owned());
    number.map(Value::EnumNumber).ok_or_else(unknown)
}

/// A field mask as JSON has it; the names of the schema are taken too.
fn json_mask(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let mut raise = false;
    for letter in text.chars() {
        match letter {
            '_' => raise = true,
            _ if raise => {
                json.extend(letter.to_uppercase());
                raise = false;
            }
            _ => json.push(letter),
        }
    }
    json
}

fn from_json(
    message: prost_reflect::MessageDescriptor,
    json: serde_json::Value,
) -> Result<Value, TextError> {
    DynamicMessage::deserialize(message, json)
        .map(Value::Message)
        .map_err(|error| TextError::Unreadable(error.to_string()))
}
