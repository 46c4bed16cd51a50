//! Path templates of `google.api.http`: `/v1/{name=datasets/*/observations/*}:compare`.
//!
//! Literals, `*`, variables over them and a verb at the end; `**` is not among them, since no path here needs it.

use std::ops::Range;

/// A template as it is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) segments: Vec<Segment>,
    pub(super) variables: Vec<Variable>,
    pub(super) verb: Option<String>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Any,
}

/// A field of the request that segments of the path are put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) field: String,
    pub(super) segments: Range<usize>,
}

/// Why a template is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("it does not begin with a slash")]
    NoSlash,
    #[error("a segment is empty")]
    EmptySegment,
    #[error("a variable is not closed, or has no name")]
    Variable,
    #[error("`**` and characters of a pattern inside a literal are not known")]
    Pattern,
    #[error("something stands behind a variable that is neither a slash nor a verb")]
    Behind,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Template, TemplateError> {
        let mut rest = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let mut template = Template {
            segments: Vec::new(),
            variables: Vec::new(),
            verb: None,
        };
        loop {
            rest = template.part(rest)?;
            match rest.split_at_checked(1) {
                None => return Ok(template),
                Some(("/", next)) => rest = next,
                Some((":", verb)) => {
                    template.verb = Some(literal(verb)?);
                    return Ok(template);
                }
                Some(_) => return Err(TemplateError::Behind),
            }
        }
    }

    /// Takes a segment or a variable from the front; what is behind it.
    fn part<'a>(&mut self, text: &'a str) -> Result<&'a str, TemplateError> {
        if let Some(inside) = text.strip_prefix('{') {
            let (variable, rest) = inside.split_once('}').ok_or(TemplateError::Variable)?;
            self.variable(variable)?;
            return Ok(rest);
        }
        let end = text.find(['/', ':']).unwrap_or(text.len());
        let (one, rest) = text.split_at(end);
        self.segments.push(segment(one)?);
        Ok(rest)
    }

    fn variable(&mut self, text: &str) -> Result<(), TemplateError> {
        let (field, pattern) = text.split_once('=').unwrap_or((text, "*"));
        if field.is_empty() {
            return Err(TemplateError::Variable);
        }
        let start = self.segments.len();
        for one in pattern.split('/') {
            self.segments.push(segment(one)?);
        }
        self.variables.push(Variable {
            field: field.to_owned(),
            segments: start..self.segments.len(),
        });
        Ok(())
    }
}

fn segment(text: &str) -> Result<Segment, TemplateError> {
    match text {
        "*" => Ok(Segment::Any),
        _ => literal(text).map(Segment::Literal),
    }
}

fn literal(text: &str) -> Result<String, TemplateError> {
    if text.is_empty() {
        return Err(TemplateError::EmptySegment);
    }
    if text.contains(['*', '{', '}', ':']) {
        return Err(TemplateError::Pattern);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_spans_its_segments_and_a_verb_ends_the_path() {
        let template = Template::parse("/v1/{name=datasets/*/observations/*}:compare").unwrap();
        let shape = template.segments.iter().map(|one| match one {
            Segment::Literal(text) => text.as_str(),
            Segment::Any => "*",
        });
        let shape: Vec<_> = shape.collect();
        assert_eq!(shape, ["v1", "datasets", "*", "observations", "*"]);
        assert_eq!(template.verb.as_deref(), Some("compare"));
        let [variable] = &template.variables[..] else {
            panic!("one variable: {template:?}");
        };
        assert_eq!(
            (variable.field.as_str(), variable.segments.clone()),
            ("name", 1..5)
        );
    }

    #[test]
    fn a_variable_without_a_pattern_is_one_segment() {
        let template = Template::parse("/v1/classifications/{classification}/names").unwrap();
        assert_eq!(template.variables[0].segments, 2..3);
        assert_eq!(template.segments[3], Segment::Literal("names".into()));
    }

    #[test]
    fn what_is_no_template_is_told_why() {
        for (text, why) in [
            ("v1/x", TemplateError::NoSlash),
            ("/v1//x", TemplateError::EmptySegment),
            ("/v1/x:", TemplateError::EmptySegment),
            ("/v1/{name", TemplateError::Variable),
            ("/v1/{=x}", TemplateError::Variable),
            ("/v1/{name=**}", TemplateError::Pattern),
            ("/v1/{name}x", TemplateError::Behind),
        ] {
            assert_eq!(Template::parse(text), Err(why), "{text}");
        }
    }
}
