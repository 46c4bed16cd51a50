//! Messages of any kind, and the requests that ask with them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use crate::http::routes::{Route, Takes};
use crate::http::template::Segment;
use crate::http::text;

const DEPTH: usize = 4;
const TEXTS: [&str; 6] = [
    "CHN",
    "2024-05",
    "a b&c=d",
    "中国",
    "%2F+",
    "Қазақстан\n\"q\"",
];
const PATHS: [&str; 3] = ["display_name", "codes", "source.title"];

pub(super) fn route_and_seed() -> impl Strategy<Value = (usize, Vec<u8>)> {
    (any::<u16>(), prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(at, bytes)| (usize::from(at), bytes))
}

/// A message that a route can be asked with.
pub(super) fn message(route: &Route, bytes: &[u8]) -> DynamicMessage {
    let mut seed = Seed(bytes.iter());
    let mut message = DynamicMessage::new(route.method.input());
    let whole = matches!(route.takes, Takes::Whole);
    seed.fill(&mut message, whole, 0);
    if let Takes::Field(field) = &route.takes {
        let Kind::Message(inner) = field.kind() else {
            panic!("a body is a message");
        };
        let mut body = DynamicMessage::new(inner);
        seed.fill(&mut body, true, 0);
        message.set_field(field, Value::Message(body));
    }
    for (at, field) in route.path_fields.iter().enumerate() {
        let segments = route.template.segments[field.segments.clone()].iter();
        let parts: Vec<String> = segments.map(|segment| part(segment, at)).collect();
        set(&mut message, &field.chain, Value::String(parts.join("/")));
    }
    message
}

fn part(segment: &Segment, at: usize) -> String {
    match segment {
        Segment::Literal(text) => text.clone(),
        Segment::Any => format!("some:id {at}"),
    }
}

fn set(message: &mut DynamicMessage, chain: &[FieldDescriptor], value: Value) {
    let (last, before) = chain.split_last().unwrap();
    let mut message = message;
    for field in before {
        message = message.get_field_mut(field).as_message_mut().unwrap();
    }
    message.set_field(last, value);
}

/// The target and the body that ask with a message.
pub(super) fn request(route: &Route, message: &DynamicMessage) -> (String, String) {
    let mut rest = message.clone();
    for field in &route.path_fields {
        if let [only] = &field.chain[..] {
            rest.clear_field(only);
        }
    }
    let body = match &route.takes {
        Takes::Nothing => String::new(),
        Takes::Whole => {
            let body = serde_json::to_string(&rest).unwrap();
            rest = DynamicMessage::new(rest.descriptor());
            body
        }
        Takes::Field(field) => {
            let body = rest.take_field(field).unwrap();
            serde_json::to_string(body.as_message().unwrap()).unwrap()
        }
    };
    let mut parameters = Vec::new();
    write(&rest, "", &mut parameters);
    (
        format!("{}?{}", path(route, message), parameters.join("&")),
        body,
    )
}

/// The path of a route with the fields of a message.
pub(super) fn path(route: &Route, message: &DynamicMessage) -> String {
    let mut path = String::new();
    for (at, segment) in route.template.segments.iter().enumerate() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Any => path.push_str(&encoded(&segment_of(route, message, at))),
        }
    }
    if let Some(verb) = &route.template.verb {
        path.extend([":", verb]);
    }
    path
}

fn segment_of(route: &Route, message: &DynamicMessage, at: usize) -> String {
    let mut fields = route.path_fields.iter();
    let field = fields.find(|field| field.segments.contains(&at)).unwrap();
    let mut value = Value::Message(message.clone());
    for step in &field.chain {
        value = value.as_message().unwrap().get_field(step).into_owned();
    }
    let text = value.as_str().unwrap();
    text.split('/')
        .nth(at - field.segments.start)
        .unwrap()
        .to_owned()
}

fn write(message: &DynamicMessage, above: &str, parameters: &mut Vec<String>) {
    for (field, value) in message.fields() {
        // Either of the names does.
        let name = if field.number() % 2 == 0 {
            field.name()
        } else {
            field.json_name()
        };
        let name = format!("{above}{name}");
        if let Some(list) = value.as_list() {
            parameters.extend(list.iter().map(|one| pair(&field, &name, one)));
        } else if let (Some(inner), false) = (value.as_message(), text::is_text(&field)) {
            write(inner, &format!("{name}."), parameters);
        } else {
            parameters.push(pair(&field, &name, value));
        }
    }
}

fn pair(field: &FieldDescriptor, name: &str, value: &Value) -> String {
    format!("{name}={}", encoded(&texted(field, value)))
}

fn texted(field: &FieldDescriptor, value: &Value) -> String {
    match (value, field.kind()) {
        (Value::String(text), _) => text.clone(),
        (Value::Bytes(bytes), _) => URL_SAFE_NO_PAD.encode(bytes),
        (Value::EnumNumber(number), Kind::Enum(names)) => {
            let name = names
                .get_value(*number)
                .map(|value| value.name().to_owned());
            name.unwrap_or_else(|| number.to_string())
        }
        (Value::Message(message), _) => {
            let json = serde_json::to_value(message).unwrap();
            json.as_str().unwrap().to_owned()
        }
        (Value::Bool(yes), _) => yes.to_string(),
        (Value::I32(number), _) => number.to_string(),
        (Value::I64(number), _) => number.to_string(),
        (Value::U32(number), _) => number.to_string(),
        (Value::U64(number), _) => number.to_string(),
        (other, _) => panic!("no parameter has {other:?}"),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Bytes that decide what a message is; without any left it has no more.
struct Seed<'a>(std::slice::Iter<'a, u8>);

impl Seed<'_> {
    fn next(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    /// Fills some fields; only those that parameters can name unless `whole`.
    fn fill(&mut self, message: &mut DynamicMessage, whole: bool, depth: usize) {
        for field in message.descriptor().fields() {
            let wanted = self.next() % 3 == 1;
            let taken = field.containing_oneof().is_some_and(|choice| {
                let mut fields = choice.fields();
                fields.any(|other| message.has_field(&other))
            });
            if wanted && !taken {
                self.put(message, &field, whole, depth);
            }
        }
    }

    fn put(
        &mut self,
        message: &mut DynamicMessage,
        field: &FieldDescriptor,
        whole: bool,
        depth: usize,
    ) {
        let is_text = text::is_text(field);
        if !whole && !is_text && (field.is_list() || field.is_map()) {
            return;
        }
        if field.is_map() {
            let value = self.map(field);
            message.set_field(field, value);
        } else if field.is_list() {
            let some = self.next() % 3;
            let values = (0..=some).map(|_| self.value(field, whole, depth));
            let values: Vec<Value> = values.flatten().collect();
            if !values.is_empty() {
                message.set_field(field, Value::List(values));
            }
        } else if let Some(value) = self.value(field, whole, depth) {
            let told = field.supports_presence() || !value.is_default(&field.kind());
            if told {
                message.set_field(field, value);
            }
        }
    }

    fn map(&mut self, field: &FieldDescriptor) -> Value {
        let Kind::Message(entry) = field.kind() else {
            panic!("a map is a list of entries");
        };
        let value = self.value(&entry.map_entry_value_field(), true, DEPTH);
        let key = MapKey::String(format!("key-{}", self.next() % 4));
        Value::Map(
            value
                .into_iter()
                .map(|value| (key.clone(), value))
                .collect(),
        )
    }

    fn value(&mut self, field: &FieldDescriptor, whole: bool, depth: usize) -> Option<Value> {
        let byte = self.next();
        Some(match field.kind() {
            Kind::Bool => Value::Bool(byte % 2 == 1),
            Kind::String => Value::String(TEXTS[usize::from(byte) % TEXTS.len()].into()),
            Kind::Bytes => Value::Bytes(vec![byte, 0xff, 0xfe].into()),
            Kind::Enum(names) => {
                let count = names.values().len();
                let value = names.values().nth(usize::from(byte) % count);
                Value::EnumNumber(value?.number())
            }
            Kind::Message(message) => self.message(&message, whole, depth)?,
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(i32::from(byte) - 100),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(i64::MIN + i64::from(byte)),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::MAX - u32::from(byte)),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::MAX - u64::from(byte)),
            Kind::Float | Kind::Double => return None,
        })
    }

    /// A message; one that parameters are to make is not there when it has nothing inside.
    fn message(&mut self, kind: &MessageDescriptor, whole: bool, depth: usize) -> Option<Value> {
        let mut message = DynamicMessage::new(kind.clone());
        match kind.full_name() {
            "google.protobuf.Timestamp" => {
                let seconds = 1_700_000_000 + i64::from(self.next());
                message.set_field_by_name("seconds", Value::I64(seconds));
                message.set_field_by_name("nanos", Value::I32(i32::from(self.next()) + 1));
            }
            "google.protobuf.FieldMask" => {
                let path = PATHS[usize::from(self.next()) % PATHS.len()];
                let paths = vec![Value::String(path.into())];
                message.set_field_by_name("paths", Value::List(paths));
            }
            _ if depth >= DEPTH => return None,
            _ => self.fill(&mut message, whole, depth + 1),
        }
        let empty = message.fields().next().is_none();
        (whole || !empty).then_some(Value::Message(message))
    }
}
