//! The services behind a gateway, by name and in order.

/// A service behind a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Trade,
    Events,
    Culture,
}

impl Which {
    /// All of them, in the order of their places.
    pub(crate) const ALL: [Which; 3] = [Which::Trade, Which::Events, Which::Culture];

    /// Its place in a cursor, and wherever else there is something for each.
    pub(crate) const fn place(self) -> usize {
        match self {
            Which::Trade => 0,
            Which::Events => 1,
            Which::Culture => 2,
        }
    }

    /// What it is called: the role of its process, and the name of its journal.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Which::Trade => "trade",
            Which::Events => "events",
            Which::Culture => "culture",
        }
    }

    /// The service of a name.
    pub(crate) fn find(name: &str) -> Option<Which> {
        Which::ALL.into_iter().find(|which| which.name() == name)
    }
}
