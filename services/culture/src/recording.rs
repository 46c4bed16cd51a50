//! Many figures recorded at once, all or none.

use std::collections::HashMap;

use proto::culture::v1::{CultureChange, Measure, RecordMeasuresRequest, RecordMeasuresResponse};
use proto::{Slug, Violations, measure_name};
use records::{Error, Fields, Record, Times, Who, find, find_version, get, is_done};
use store::{Decision, Origin, Request, Stamp, State};

use crate::Model;
use crate::identity::Identity;

/// Figures that are recorded together, at most.
const MAX_MEASURES: usize = 2_000;

/// Figures to be recorded, each with its id; checked.
#[derive(Debug)]
pub(crate) struct Recording {
    measures: Vec<(Slug, Measure)>,
}

/// What became of a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    New,
    Revised,
    Unchanged,
}

impl Recording {
    /// Parses a request to record figures.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn parse(
        request: tonic::Request<RecordMeasuresRequest>,
    ) -> Result<(Recording, Origin), Violations> {
        let (who, mut request) = Who::take(request);
        let request_id = std::mem::take(&mut request.request_id);
        let origin = who.asks("RecordMeasuresRequest", &request_id, &request);
        let RecordMeasuresRequest {
            measures,
            request_id: _,
        } = request;
        let mut violations = Violations::new();
        let measures = violations.check_nested("", parse_measures(measures));
        let origin = violations.check("request_id", origin);
        let (measures, origin) = measures.zip(origin).ok_or(violations)?;
        Ok((Recording { measures }, origin))
    }

    /// Decides to record them all, or none. What changes nothing makes no vintage, and is not remembered either.
    ///
    /// # Errors
    /// [`Error::RequestIdReused`]; [`Error::Invalid`] when an id stands for another figure.
    pub(crate) fn decide(
        self,
        state: &State<'_>,
        stamp: Stamp,
        request: Option<Request>,
    ) -> Result<Decision<CultureChange, RecordMeasuresResponse>, Error> {
        let first = self.measures.first();
        let subject = first.map(|(id, _)| measure_name(id)).unwrap_or_default();
        if is_done(state, request, &subject)? {
            return Ok(Decision::nothing(self.as_they_are(state)?));
        }
        let mut decision = Decision::nothing(RecordMeasuresResponse::default());
        decision.subject = subject;
        for (index, (id, measure)) in self.measures.into_iter().enumerate() {
            let recorded = record(state, stamp, &id, measure);
            let (became, measure) = recorded.map_err(|error| at(index, error))?;
            if became != Became::Unchanged {
                decision.changes.push(measure.clone().recorded(None));
            }
            let reply = &mut decision.reply;
            let count = match became {
                Became::New => &mut reply.new,
                Became::Revised => &mut reply.revised,
                Became::Unchanged => &mut reply.unchanged,
            };
            *count += 1;
            reply.measures.push(measure);
        }
        Ok(decision)
    }

    fn as_they_are(&self, state: &State<'_>) -> Result<RecordMeasuresResponse, Error> {
        let now = self.measures.iter().map(|(id, _)| get(state, id, None));
        let measures: Vec<Measure> = now.collect::<Result<_, Error>>()?;
        Ok(RecordMeasuresResponse {
            new: 0,
            revised: 0,
            unchanged: i32::try_from(measures.len()).unwrap_or(i32::MAX),
            measures,
        })
    }
}

fn parse_measures(measures: Vec<Measure>) -> Result<Vec<(Slug, Measure)>, Violations> {
    let given = measures.len();
    if given == 0 || given > MAX_MEASURES {
        let description = format!("{given} measures: 1 to {MAX_MEASURES} are required");
        return Err(Violations::one("measures", description));
    }
    let mut violations = Violations::new();
    let mut parsed = Vec::with_capacity(given);
    for (index, measure) in measures.into_iter().enumerate() {
        let measure = measure.check().and_then(identified);
        parsed.extend(violations.check_nested(&format!("measures[{index}]"), measure));
    }
    let parsed = violations.into_result(parsed)?;
    check_apart(&parsed)?;
    Ok(parsed)
}

/// A measure that was checked, with the id that is made of what identifies it.
fn identified(measure: Measure) -> Result<(Slug, Measure), Violations> {
    let id = Identity::of(&measure).map(|identity| identity.id());
    let id = id.ok_or_else(|| Violations::one("", "has no subject"))?;
    let id = id.map_err(|error| Violations::one("", error.to_string()))?;
    Ok((id, measure))
}

/// No figure may be there twice, nor two whose ids are the same.
fn check_apart(measures: &[(Slug, Measure)]) -> Result<(), Violations> {
    let mut violations = Violations::new();
    let mut seen: HashMap<&Slug, usize> = HashMap::with_capacity(measures.len());
    for (index, (id, measure)) in measures.iter().enumerate() {
        let Some(first) = seen.insert(id, index) else {
            continue;
        };
        let is_same = Identity::of(&measures[first].1) == Identity::of(measure);
        let description = if is_same {
            format!("is the same figure as `measures[{first}]`")
        } else {
            another_figure(id)
        };
        violations.push(format!("measures[{index}]"), description);
    }
    violations.into_result(())
}

fn another_figure(id: &Slug) -> String {
    format!("its id, `{id}`, stands for another figure")
}

/// The fault of a figure under its place in the request.
fn at(index: usize, error: Error) -> Error {
    match error {
        Error::Invalid(inner) => {
            let mut violations = Violations::new();
            violations.nest(&format!("measures[{index}]"), inner);
            Error::Invalid(violations)
        }
        other @ (Error::NotFound(_)
        | Error::AlreadyExists(_)
        | Error::LooksLike(_)
        | Error::RequestIdReused
        | Error::EtagMismatch(_)
        | Error::PageToken(_)
        | Error::TooLarge(_)
        | Error::Store(_)
        | Error::TooMany(_)
        | Error::Stopping) => other,
    }
}

/// A figure as it is once it is recorded.
fn record(
    state: &State<'_>,
    stamp: Stamp,
    id: &Slug,
    mut measure: Measure,
) -> Result<(Became, Measure), Error> {
    let before: Option<Measure> = find(state, id, None)?;
    let became = match before {
        Some(before) if Identity::of(&before) != Identity::of(&measure) => {
            return Err(Violations::one("", another_figure(id)).into());
        }
        Some(before) if is_same_figure(&before, &measure) => {
            return Ok((Became::Unchanged, before));
        }
        Some(_) => Became::Revised,
        None => Became::New,
    };
    // One that was deleted is new, and yet was recorded first when it was.
    let version = find_version::<Model, Measure>(state, id)?;
    let times = Times {
        created: version.map_or(stamp.time, |version| version.created()),
        updated: stamp.time,
    };
    measure.complete(measure_name(id), times);
    Ok((became, measure))
}

/// Whether a figure says what another of the same identity says.
fn is_same_figure(one: &Measure, other: &Measure) -> bool {
    one.value == other.value
        && one.flags == other.flags
        && one.note == other.note
        && one.source == other.source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tests::{by, students};

    fn parsed(measures: Vec<Measure>) -> Result<Recording, Violations> {
        let request = RecordMeasuresRequest {
            measures,
            request_id: String::new(),
        };
        Recording::parse(tonic::Request::new(request)).map(|(recording, _)| recording)
    }

    #[test]
    fn each_fault_is_named_by_its_place() {
        let wrong = parsed(vec![students("2017", "1"), students("2017-13", "1")]);
        let wrong = wrong.expect_err("there is no such month");
        assert!(wrong.to_string().starts_with("measures[1].period: "));
        let none = parsed(Vec::new()).expect_err("nothing is given");
        assert!(none.to_string().starts_with("measures: 0 measures"));
        let many = parsed(vec![students("2017", "1"); MAX_MEASURES + 1]);
        let many = many.expect_err("they are too many");
        assert!(many.to_string().starts_with("measures: 2001 measures"));
    }

    #[test]
    fn a_figure_may_be_there_once() {
        let one = students("2017", "1");
        let twice = vec![
            one.clone(),
            by("Ministry of Education", &one),
            students("2017", "2"),
        ];
        let error = parsed(twice).expect_err("it is there twice");
        let expected = "measures[2]: is the same figure as `measures[0]`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn two_figures_of_one_id_are_not_taken_for_one() {
        let (one, other) = (students("2017", "1"), students("2018", "1"));
        let id = Slug::parse("kaz-chn-students-2017-0000000000000000").expect("an id");
        let error = check_apart(&[(id.clone(), one), (id, other)]).expect_err("they are two");
        assert!(error.to_string().contains("stands for another figure"));
    }
}
