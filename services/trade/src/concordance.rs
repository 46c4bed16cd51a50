//! placeholder until the tables land
use proto::trade::v1 as wire;
use proto::{Classification, Code};
use store::State;
#[derive(Clone, Debug)]
pub(crate) struct Converted {
    pub(crate) exact: bool,
    pub(crate) to_codes: Vec<Code>,
}
impl Converted {
    pub(crate) fn to_wire(&self) -> wire::Conversion {
        wire::Conversion {
            exact: self.exact,
            ..Default::default()
        }
    }
}
pub(crate) fn convert(
    _: &State<'_>,
    _: Classification,
    codes: &[Code],
    _: Classification,
) -> Result<Converted, store::Error> {
    Ok(Converted {
        exact: false,
        to_codes: codes.to_vec(),
    })
}
