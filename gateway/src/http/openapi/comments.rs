//! The comments of the schema.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// What stands above each part of the schema.
#[derive(Debug)]
pub(super) struct Comments {
    texts: HashMap<(String, Vec<i32>), String>,
}

impl Comments {
    pub(super) fn new(pool: &DescriptorPool) -> Comments {
        let mut texts = HashMap::new();
        for file in pool.files() {
            let info = file.file_descriptor_proto().source_code_info.as_ref();
            let locations = info
                .map(|info| info.location.as_slice())
                .unwrap_or_default();
            for location in locations {
                if let Some(comment) = &location.leading_comments {
                    let place = (file.name().to_owned(), location.path.clone());
                    texts.insert(place, unindented(comment));
                }
            }
        }
        Comments { texts }
    }

    /// The comment above a part, as Markdown; empty where there is none.
    pub(super) fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        let place = (file.name().to_owned(), path.to_vec());
        self.texts.get(&place).map_or("", String::as_str)
    }
}

/// Without the space that stands between `//` and the words.
fn unindented(comment: &str) -> String {
    let lines = comment
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The first sentence of a text, in one line.
pub(super) fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    let end = text
        .find(". ")
        .or_else(|| text.strip_suffix('.').map(str::len));
    text[..end.unwrap_or(text.len())].to_owned()
}
