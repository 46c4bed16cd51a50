//! placeholder until sectors land
use crate::error::Error;
use crate::goods::Goods;
use proto::Slug;
use store::{Micros, State};
pub(crate) fn goods(_: &State<'_>, id: &Slug, _: Option<Micros>) -> Result<Goods, Error> {
    Err(Error::NotFound(id.to_string()))
}

pub(crate) fn all(_: &State<'_>, _: Option<Micros>, _: usize) -> Result<Vec<(Slug, Goods)>, Error> {
    Ok(Vec::new())
}
pub(crate) fn title(_: &State<'_>, id: &Slug, _: Option<Micros>) -> Result<String, Error> {
    Ok(id.to_string())
}
