//! How often a caller may call a method.
//!
//! Each caller has, for each method, an allowance that refills steadily (GCRA): a burst, and then a call each time one
//! is due. Where there is no login, callers are told apart by their address; in IPv6 by its first 64 bits, since whoever
//! has one address has all that share those.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use proto::error::v1::ErrorReason;
use tonic::{Code, Status};

use crate::{Caller, Role, telemetry};

/// Allowances that are kept apart, of one role; some 100 bytes each. Full ones are forgotten each second, and while
/// there are more than this many, all callers share.
const MAX_KEYS: usize = 65_536;
/// Allowances that are shared then.
const SHARED: u64 = 1_024;

/// How often callers may call one method, by their role; none is without a limit. Default: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Callers without a name, where there is no login; by their address.
    pub anyone: Option<Rate>,
    /// Readers.
    pub reader: Option<Rate>,
    /// Editors.
    pub editor: Option<Rate>,
    /// Admins.
    pub admin: Option<Rate>,
}

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls that may come at once.
    pub burst: NonZeroU32,
    /// After how long another one may.
    pub refill: Duration,
}

impl Rate {
    /// `calls` in each `period`, which may all come at once.
    pub fn of(calls: NonZeroU32, period: Duration) -> Rate {
        Rate {
            burst: calls,
            refill: period / calls.get(),
        }
    }

    fn quota(self) -> Quota {
        let refill = self.refill.max(Duration::from_nanos(1));
        let quota = Quota::with_period(refill).expect("it is more than nothing");
        quota.allow_burst(self.burst)
    }
}

/// Whose allowance, for which method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    who: Who,
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Caller(Arc<str>),
    Peer(IpAddr),
    Shared(u64),
}

/// The allowances of all callers.
#[derive(Debug)]
pub(super) struct Limits {
    anyone: Option<Limit>,
    reader: Option<Limit>,
    editor: Option<Limit>,
    admin: Option<Limit>,
}

#[derive(Debug)]
struct Limit {
    allowances: DefaultKeyedRateLimiter<Key>,
    hashes: RandomState,
    is_crowded: AtomicBool,
}

impl Limits {
    pub(super) fn new(rates: Rates) -> Limits {
        let Rates {
            anyone,
            reader,
            editor,
            admin,
        } = rates;
        let limit = |rate: Option<Rate>| rate.map(Limit::new);
        Limits {
            anyone: limit(anyone),
            reader: limit(reader),
            editor: limit(editor),
            admin: limit(admin),
        }
    }

    /// Whether anything is limited.
    pub(super) fn are_any(&self) -> bool {
        self.all().next().is_some()
    }

    /// Takes a call from a caller's allowance.
    pub(super) fn take(
        &self,
        caller: Option<&Caller>,
        peer: IpAddr,
        method: &'static str,
    ) -> Result<(), Status> {
        let limit = match caller.map(|caller| caller.role) {
            None => &self.anyone,
            Some(Role::Reader) => &self.reader,
            Some(Role::Editor) => &self.editor,
            Some(Role::Admin) => &self.admin,
        };
        let Some(limit) = limit else { return Ok(()) };
        let who = match caller {
            None => Who::Peer(network(peer)),
            Some(caller) => Who::Caller(Arc::clone(&caller.name)),
        };
        limit.take(Key { who, method })
    }

    /// Forgets allowances that are full, which are as good as new ones.
    pub(super) fn tidy(&self) {
        self.all().for_each(|limit| limit.tidy(MAX_KEYS));
    }

    fn all(&self) -> impl Iterator<Item = &Limit> {
        let all = [&self.anyone, &self.reader, &self.editor, &self.admin];
        all.into_iter().flatten()
    }
}

impl Limit {
    fn new(rate: Rate) -> Limit {
        Limit {
            allowances: RateLimiter::keyed(rate.quota()),
            hashes: RandomState::new(),
            is_crowded: AtomicBool::new(false),
        }
    }

    fn take(&self, key: Key) -> Result<(), Status> {
        let key = if self.is_crowded.load(Ordering::Relaxed) {
            self.shared(&key)
        } else {
            key
        };
        let taken = self.allowances.check_key(&key);
        taken.map_err(|due| limited(due.wait_time_from(DefaultClock::default().now())))
    }

    fn shared(&self, key: &Key) -> Key {
        Key {
            who: Who::Shared(self.hashes.hash_one(&key.who) % SHARED),
            method: key.method,
        }
    }

    fn tidy(&self, max: usize) {
        self.allowances.retain_recent();
        let is_crowded = self.allowances.len() > max;
        if is_crowded != self.is_crowded.swap(is_crowded, Ordering::Relaxed) {
            tracing::warn!(
                is_crowded,
                "callers share their allowances while they are too many"
            );
        }
    }
}

/// What tells an address from those of other callers.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

fn limited(wait: Duration) -> Status {
    telemetry::refused(telemetry::RATE_LIMITED);
    // Whoever comes a moment early is sent away once more: up to the next millisecond.
    let wait = Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
        + Duration::from_millis(1);
    proto::status_retry(
        Code::ResourceExhausted,
        ErrorReason::RateLimited,
        "this caller calls this method more often than allowed",
        wait,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn desk(number: usize) -> Caller {
        Caller {
            name: format!("desk-{number}").into(),
            role: Role::Reader,
        }
    }

    fn rate(calls: u32) -> Rate {
        Rate::of(NonZeroU32::new(calls).unwrap(), HOUR)
    }

    fn limits(calls: u32) -> Limits {
        Limits::new(Rates {
            reader: Some(rate(calls)),
            ..Rates::default()
        })
    }

    #[test]
    fn each_caller_has_an_allowance_for_each_method() {
        let limits = limits(2);
        let take = |desk: &Caller, method| limits.take(Some(desk), PEER, method).is_ok();
        let (one, other) = (desk(1), desk(2));
        assert_eq!([(); 3].map(|()| take(&one, "/Get")), [true, true, false]);
        assert!(take(&one, "/List") && take(&other, "/Get"));
    }

    #[test]
    fn who_has_no_limit_is_not_held_up() {
        let limits = limits(1);
        assert!((0..10).all(|_| limits.take(None, PEER, "/Get").is_ok()));
        assert!(!Limits::new(Rates::default()).are_any());
    }

    #[test]
    fn callers_without_a_name_are_told_apart_by_their_address() {
        let limits = Limits::new(Rates {
            anyone: Some(rate(1)),
            ..Rates::default()
        });
        let is_let_in = |address: &str| {
            let address = address.parse().unwrap();
            limits.take(None, address, "/Get").is_ok()
        };
        assert!(is_let_in("192.0.2.1") && is_let_in("192.0.2.2"));
        assert!(!is_let_in("192.0.2.1") && !is_let_in("::ffff:192.0.2.1"));
    }

    #[test]
    fn whoever_has_many_addresses_of_one_network_has_one_allowance() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("::1"), of("::ffff:127.0.0.1"));
    }

    #[test]
    fn what_is_kept_of_callers_is_bounded() {
        let limit = Limit::new(rate(1));
        let key = |number| Key {
            who: Who::Caller(desk(number).name),
            method: "/Get",
        };
        for number in 0..100 {
            limit.take(key(number)).unwrap();
        }
        limit.tidy(10);
        let shared: Vec<_> = (0..100_000).map(|number| limit.take(key(number))).collect();
        assert!(limit.allowances.len() <= 100 + usize::try_from(SHARED).unwrap());
        assert!(shared.iter().any(Result::is_err));
    }
}
