//! placeholder until the names land
use proto::{Classification, Code};
use store::State;
pub(crate) fn known(
    _: &State<'_>,
    _: Classification,
    _: Code,
) -> Result<Option<bool>, store::Error> {
    Ok(None)
}
pub(crate) fn name(
    _: &State<'_>,
    _: Classification,
    _: Code,
) -> Result<Option<String>, store::Error> {
    Ok(None)
}
