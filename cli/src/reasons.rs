//! Reasons by letter: a narrow cell shows `(a)`, and the text stands once below the table.

use std::io::Write;

use proto::trade::v1 as wire;
use wire::growth::Outcome;

use crate::{figures, output};

/// The reasons that a table referred to.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    texts: Vec<String>,
}

impl Reasons {
    /// Growth, or the letter of why there is none.
    pub(crate) fn growth(&mut self, growth: Option<&wire::Growth>) -> String {
        match growth.and_then(|growth| growth.outcome.as_ref()) {
            Some(Outcome::Ratio(ratio)) => figures::percent(ratio),
            Some(Outcome::Gap(gap)) => self.mark(&figures::growth_gap(*gap)),
            None => String::new(),
        }
    }

    /// The letter of a reason.
    pub(crate) fn mark(&mut self, text: &str) -> String {
        let known = self.texts.iter().position(|known| known == text);
        let at = known.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        });
        format!("({})", letter(at))
    }

    /// Writes all that were referred to.
    pub(crate) fn write(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        for (at, text) in self.texts.iter().enumerate() {
            output::paragraph(out, &format!("({}) {text}", letter(at)), "    ")?;
        }
        Ok(())
    }
}

/// `a` to `z`, then `aa`, `ab`, …
fn letter(at: usize) -> String {
    let last = char::from(b'a' + u8::try_from(at % 26).unwrap_or_default());
    match at / 26 {
        0 => last.to_string(),
        more => letter(more - 1) + &last.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once() {
        let mut reasons = Reasons::default();
        let gap = |gap: wire::GrowthGap| wire::Growth {
            outcome: Some(Outcome::Gap(gap.into())),
            ..Default::default()
        };
        let unpublished = gap(wire::GrowthGap::BaseNotPublished);
        assert_eq!(reasons.growth(Some(&unpublished)), "(a)");
        assert_eq!(
            reasons.growth(Some(&gap(wire::GrowthGap::BaseIsZero))),
            "(b)"
        );
        assert_eq!(reasons.growth(Some(&unpublished)), "(a)");
        let mut out = Vec::new();
        reasons.write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "(a) no figure for the year before\n(b) the year before is zero\n"
        );
    }

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!(
            (letter(0), letter(25), letter(26)),
            ("a".into(), "z".into(), "aa".into())
        );
    }
}
