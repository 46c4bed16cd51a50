//! What passed between China and Kazakhstan besides trade, loaded.

use super::unless_there;
use crate::args::answer::Address;
use crate::{client, records};

/// Loads what is not there yet; how many records that was.
pub(super) async fn load(server: &Address) -> anyhow::Result<usize> {
    let mut new = 0;
    let mut events = client::events(server).await?;
    for event in records::demo_events()? {
        new += usize::from(unless_there(events.create_event(event).await)?);
    }
    for agreement in records::demo_agreements()? {
        new += usize::from(unless_there(events.create_agreement(agreement).await)?);
    }
    let mut culture = client::culture(server).await?;
    for programme in records::demo_programmes()? {
        new += usize::from(unless_there(culture.create_programme(programme).await)?);
    }
    for rule in records::demo_visa_rules()? {
        new += usize::from(unless_there(culture.create_visa_rule(rule).await)?);
    }
    let recorded = culture.record_measures(records::demo_measures()?).await?;
    new += usize::try_from(recorded.into_inner().new)?;
    Ok(new)
}
